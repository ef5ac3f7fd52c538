"""A mailbox for proofs: it lives until standard input closes, and then nothing of it is left.

Manuals: postqueue(1), postsuper(1), doveadm-kick(1).
"""

from __future__ import annotations

import re
import secrets
import shutil
import sys
import time
from pathlib import Path

from .asking import ask_sql
from .common import Failed, call, last_line, quoted, say_out, waiting
from .vault import hash_password

TYPE_CHECKING = False  # typing itself would take 5 ms at each start
if TYPE_CHECKING:
    from typing import Any

    from .common import Request


def mailbox(request: Request) -> dict[str, Any]:
    """A mailbox for proofs, with a random password, until standard input closes."""
    domain, password = request["domain"], secrets.token_urlsafe(18)
    local = f"ispguide-proof-{int(time.time()):x}-{secrets.token_hex(4)}"
    sweep_old(domain)
    address, alias = f"{local}@{domain}", f"{local}-alias@{domain}"
    quick = hash_password(password, cost=5)  # random and gone in a minute
    quota, enabled = int(request.get("quota", 0)), int(not request.get("locked"))
    ours = f"FROM mailserver.virtual_domains WHERE name = {quoted(domain)}"
    sql = (
        "INSERT INTO mailserver.virtual_users (domain_id, email, password, quota, enabled) "
        f"SELECT id, {quoted(address)}, {quoted(quick)}, {quota}, {enabled} {ours};"
        "INSERT INTO mailserver.virtual_aliases (domain_id, source, destination) "
        f"SELECT id, {quoted(alias)}, {quoted(address)} {ours};"
    )
    try:
        rc, _, err = call(["mariadb"], sql)
        if rc:
            return {"error": last_line(err)}
        say_out({"mailbox": {"address": address, "alias": alias, "password": password}})
        sys.stdin.buffer.read()
    finally:
        sweep(domain, local)
    return {"closed": True}


def sweep(domain: str, local: str) -> None:
    """Remove a mailbox of proofs with its alias and its mail."""
    call(
        ["mariadb", "mailserver"],
        f"DELETE FROM virtual_aliases WHERE source = {quoted(f'{local}-alias@{domain}')};"
        f"DELETE FROM virtual_users WHERE email = {quoted(f'{local}@{domain}')};",
    )
    # What webmail remembers of it; where there is no webmail, this fails and nobody minds.
    me = quoted(f"{local}@{domain}")
    call(["mariadb"], f"DELETE FROM roundcube.users WHERE username = {me};")
    call(["doveadm", "kick", f"{local}@{domain}"])
    folder, end = Path("/var/vmail", domain, local), time.monotonic() + 15
    while True:  # who is on the way out, or a letter on its way in, may write once more
        late = time.monotonic() > end
        inside = call(["doveadm", "-f", "flow", "who", f"{local}@{domain}"])[1].strip()
        busy = under_way(local, domain, late) or inside
        shutil.rmtree(folder, ignore_errors=True)
        if late or not busy and not folder.exists():
            return
        time.sleep(0.1)


def under_way(local: str, domain: str, late: bool) -> bool:
    """Whether a letter to or from it is just being delivered (postqueue(1)).

    One that waits to be tried again is taken back, for it would leave after its proof;
    `late`: so is one that still tries to reach somebody."""
    ours = {f"{local}@{domain}", f"{local}-alias@{domain}"}
    busy, back = False, []
    try:
        queue = list(waiting())
    except Failed:  # Postfix is down, so nothing is being delivered
        return False
    for one in queue:
        to = {recipient["address"] for recipient in one["recipients"]}
        active = one["queue_name"] == "active"
        busy |= active and bool(ours & {one["sender"], *to})
        # A letter that names nobody yet is somebody else's.
        own = one["sender"] in ours or to and to <= ours
        if own and (one["queue_name"] == "deferred" or late and active):
            back.append(one["queue_id"])
    if back:
        call(["postsuper", "-d", "-"], "\n".join(back))
    return busy


def sweep_old(domain: str) -> None:
    """What a power cut left behind: mailboxes of proofs older than ten minutes."""
    found = ask_sql(
        "SELECT email FROM mailserver.virtual_users WHERE email LIKE 'ispguide-proof-%'"
    )
    names = {email.partition("@")[0] for (email,) in found.get("rows", [])}
    names |= {path.name for path in Path("/var/vmail", domain).glob("ispguide-proof-*")}
    for local in names:
        # Of exactly our form: what somebody called so by hand is not ours to remove.
        ours = re.fullmatch(r"ispguide-proof-([0-9a-f]+)-[0-9a-f]{8}", local)
        if ours and int(ours[1], 16) < time.time() - 600:
            sweep(domain, local)
