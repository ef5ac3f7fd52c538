"""No secret survives: a reader's day with planted passwords, then a search for them.

The forms are driven in a kernel; widget states are stored on purpose.  Each place is
also searched for something that must be found there, so that an empty search is no
proof by mistake.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbclient
import nbformat
import pytest

from ispguide import lab
from ispguide.engine.profile import Profile

from ..building import Built
from .conftest import ROOT, shell

SUDOER = "sophie"
PLANTED = {
    "sudo": "planted-Sudo-Quitte-1",
    "wrong": "planted-Wrong-Mispel-2",
    "first": "planted-Mail-Holunder-3",
    "second": "planted-Mail-Schlehe-4",
}
DAY = """
from ispguide.notebook import chapter, people, start; from tests.practice import driven
connection = start.connection(); connection
print(driven.connect(connection))
switch = start.switch(); switch
print(driven.arm(switch))
form = people.form(); form
driven.at_rest(); print(driven.add(form, "anna@example.test", "first"))
print(driven.add(form, "anna@example.test", "first"))
print(driven.renew(form, "anna@example.test", "second"))
print(driven.add(form, "bea@example.test", ""))
driven.sudo_lost(); form.look(); driven.at_rest(); print(driven.heading(form))
driven.sudo(form, "wrong"); form.look(); driven.at_rest(); print(driven.heading(form))
driven.sudo(form, "sudo"); form.look(); driven.at_rest(); print(driven.heading(form))
decisions = start.decisions(); decisions
driven.at_rest(); decisions.fields["junk_days"].input.value = 31; decisions.save_button.click()
driven.at_rest(); print(driven.words(decisions))
postfix = chapter("postfix")
postfix.step("domains")
driven.at_rest()
"""


@dataclass
class Day:
    """What a day left behind on this computer, and what was typed in it."""

    notebook: str
    said: str
    history: bytes
    home: Path
    secrets: list[str]


@pytest.fixture(scope="module")
def sudoer(built: Built) -> Iterator[str]:
    """Somebody who becomes root by a password only, on a server without any mailbox."""
    shell(
        "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install sudo >&2;"
        f"useradd -m -s /bin/sh {SUDOER}; mkdir ~{SUDOER}/.ssh;"
        f"cp /root/.ssh/authorized_keys ~{SUDOER}/.ssh/; chown -R {SUDOER} ~{SUDOER}/.ssh;"
        f"printf '{SUDOER} ALL=(ALL) ALL\\nDefaults:{SUDOER} timestamp_timeout=0\\n' > /etc/sudoers.d/{SUDOER}"
    )
    typed = f"{SUDOER}:{PLANTED['sudo']}\n".encode()
    assert lab.mail_run(["chpasswd"], typed).returncode == 0
    yield SUDOER
    shell(f"rm /etc/sudoers.d/{SUDOER}; userdel -r {SUDOER} 2>&1")


def planted(sudoer: str, file: Path) -> Path:
    """Everything that will be typed, in a file of the test's own."""
    practice = Profile.load("practice")
    key = shell("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").strip()
    words = {"host": practice.host, "user": sudoer, "key": practice.key}
    words |= {"domain": "example.test", "fingerprint": key}
    file.write_text(json.dumps(words | PLANTED))
    return file


@pytest.fixture(scope="module")
def day(
    sudoer: str, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Day]:
    """The cells, run in a kernel of their own; then the notebook is saved."""
    place = tmp_path_factory.mktemp("day")
    file = planted(sudoer, place / "planted.json")
    known = set((home / "profiles").iterdir())
    (home / "notebooks.json").unlink(missing_ok=True)
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(line) for line in DAY.strip().splitlines()
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ISPGUIDE_CELLS", raising=False)
        patch.setenv("IPYTHONDIR", str(place / "ipython"))
        patch.setenv("PLANTED", str(file))
        nbclient.NotebookClient(
            notebook,
            timeout=120,
            kernel_name="python3",
            store_widget_state=True,
            ipython_hist_file=str(place / "history.sqlite"),
            resources={"metadata": {"path": str(ROOT)}},
        ).execute()
    nbformat.write(notebook, place / "day.ipynb")
    said = "\n".join(
        o.get("text", "") for c in notebook.cells for o in c.get("outputs", ())
    )
    history = place / "history.sqlite"
    secrets = [
        v for k, v in json.loads(file.read_text()).items() if k in (*PLANTED, "made")
    ]
    yield Day(
        (place / "day.ipynb").read_text(), said, history.read_bytes(), home, secrets
    )
    for path in set((home / "profiles").iterdir()) - known:
        path.unlink()
    (home / "notebooks.json").unlink(missing_ok=True)


def test_the_day_went_as_told(day: Day) -> None:
    """Each secret was used: only then is it worth looking for."""
    for words in (
        "connected", "ARMED", "anna@example.test has a mailbox.",
        "has a mailbox already", "anna@example.test has another password",
        "bea@example.test has a mailbox", "3 mailboxes", "Kept on the server",
    ):  # fmt: skip
        assert words in day.said, day.said
    assert day.said.count("✗ stopped") == 2, "without sudo, and with a wrong one"
    assert len(day.secrets) == len(PLANTED) + 1
    for address, secret in (("anna", PLANTED["second"]), ("bea", day.secrets[-1])):
        tried = ["doveadm", "auth", "test", f"{address}@example.test"]
        assert lab.mail_run(tried, f"{secret}\n".encode()).returncode == 0


def test_none_in_the_saved_notebook_with_its_widget_states(day: Day) -> None:
    assert "application/vnd.jupyter.widget-state+json" in day.notebook
    assert "the same again" in day.notebook, "the forms' states are in it"
    assert not [s for s in day.secrets if s in day.notebook]


def test_none_in_the_history_of_the_kernel(day: Day) -> None:
    assert b"people.form()" in day.history
    assert not [s for s in day.secrets if s.encode() in day.history]


def test_none_in_what_this_computer_keeps(day: Day) -> None:
    files = [p for p in day.home.rglob("*") if p.is_file()]
    text = b"\n".join(p.read_bytes() for p in files)
    assert b"mail.example.test" in text and b"ARMED" in text
    assert not [s for s in day.secrets if s.encode() in text]


@pytest.mark.parametrize(
    ("there", "search"),
    [
        ("people: add anna", "cat /var/lib/ispguide/ledger.jsonl"),
        ("sophie", "journalctl --all --no-pager --output=export"),
        ("ispguide", "find /var/lib/ispguide /etc/ispguide /var/log /run /tmp /root /home "
         "-xdev -type f -size -20M -exec cat {} +"),
    ],
)  # fmt: skip
def test_none_on_the_server(day: Day, there: str, search: str) -> None:
    """The words looked for travel on standard input, or the search would find itself."""
    count = f"cat > /dev/shm/words; {search} | grep -acF -f /dev/shm/words; rm /dev/shm/words"

    def lines(words: list[str]) -> int:
        done = lab.mail_run(["sh", "-c", count], "\n".join(words).encode())
        return int(done.stdout)

    assert lines([there]) > 0
    assert lines(day.secrets) == 0
