"""The flow of mail, counted from the journal: what came, went and was refused, by the hour.

Source: postfix's and rspamd's own lines; journalctl(1).
"""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from typing import Any

Kind = tuple[str, str]
#: One of them is in every line that counts.
WORDS = (" status=", "reject: ", "task_write_log")


def kind_of(text: str) -> Kind | None:
    """(kind, detail) of a line of the journal, or None where it counts for nothing."""
    if "rspamd_task_write_log" in text:
        found = re.search(r"\(default: \S \([^)]*\): \[(-?[\d.]+)/", text)
        return ("score", str(round(float(found[1])))) if found and "qid: <" in text else None  # fmt: skip
    if "reject: " in text:
        found = re.search(r"reject: .*?: ((\d)[\d.]+ .*?);? from=<", text)
        if found:
            plain = re.sub(r"<[^>]*>", "<>", found[1])
            return ("later" if found[2] == "4" else "refused"), plain[:160]
    found = re.search(r"postfix/(\w+)\[.* status=(sent|bounced|expired)", text)
    if found and found[2] == "sent":
        return ("sent" if found[1] == "smtp" else "received"), ""
    return ("returned", "") if found else None


def counted(days: int) -> dict[str, Any]:
    """{now, rows: [hour, kind, detail, how many]}."""
    # -g is left out: it is slower than looking at the lines here.
    argv = [
        "journalctl", "-q", "--no-pager", "-o", "short-unix", f"--since=-{days}d",
        "-u", "postfix@-", "-u", "rspamd",
    ]  # fmt: skip
    counts = Counter[tuple[int, str, str]]()
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as run:
        for line in run.stdout or ():
            if kind := kind_of(line) if any(map(line.__contains__, WORDS)) else None:
                hour = int(float(line.split(None, 1)[0])) // 3600 * 3600
                counts[(hour, *kind)] += 1
    return {"now": time.time(), "rows": [[*k, n] for k, n in sorted(counts.items())]}
