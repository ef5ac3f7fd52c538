"""A move: 3 domains, their mailboxes and letters, while mail keeps arriving."""

from __future__ import annotations

import imaplib
import json
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ispguide import lab, tasks
from ispguide.backup.inventory import FACT, PROGRAM, inventory
from ispguide.chapters import _certificate
from ispguide.errors import GuideError
from ispguide.profile import Profile
from ispguide.proofs.letters import STRANGER, letter, token
from ispguide.settings import Secret

from .conftest import back_to_built, shell, until
from .old_server import NO_GREYLIST, SELECTOR, Old, old_server


def knock(address: str) -> smtplib.SMTP:
    """A conversation at port 25.

    Named, because to look up this computer's own name may take minutes; patient,
    because who does not wait for the answer brings twice what was taken."""
    return smtplib.SMTP(address, 25, "client.elsewhere.test", 60)


class Post:
    """The world's post offices: a letter every now and then, kept and tried again as
    they all do, at the old server, and at the new one once the names lead there."""

    def __init__(self, old: Old, new: str):
        self.old, self.new, self.moved = old, new, threading.Event()
        self.sent: dict[str, str] = {}
        self.refused: list[str] = []
        self._end, self._patient = threading.Event(), True
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        waiting: list[tuple[str, str]] = []
        n = 0
        while not self._end.is_set() or waiting and self._patient:
            if not self._end.is_set():
                waiting.append((token(), self.old.people[n % len(self.old.people)]))
                n += 1
            waiting = [one for one in waiting if not self._taken(*one)]
            time.sleep(0.7)

    def sends(self, count: int) -> None:
        """Return when so many more were taken."""
        end, wanted = time.monotonic() + 60, len(self.sent) + count
        while len(self.sent) < wanted:
            assert time.monotonic() < end, "no mail arrives"
            time.sleep(0.1)

    def _taken(self, mark: str, to: str) -> bool:
        address = self.new if self.moved.is_set() else self.old.address
        try:
            with knock(address) as smtp:
                smtp.sendmail(STRANGER, [to], letter(mark, to))
        except (OSError, smtplib.SMTPException) as no:
            codes = getattr(no, "recipients", {}).values()
            if any(code >= 500 for code, _ in codes) or getattr(no, "smtp_code", 0) >= 500:  # fmt: skip
                self.refused.append(f"{to}: {no}")
            return False
        self.sent[mark] = to
        return True

    def __enter__(self) -> Post:
        self._thread.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Return when all are taken, or at once when the move went wrong."""
        self._patient = not failed
        self._end.set()
        self._thread.join(90)
        assert failed or not self._thread.is_alive(), "letters are still not taken"


@pytest.fixture(scope="module")
def each(thorough) -> int:
    """How many letters each has."""
    return 100 if thorough else 8


@pytest.fixture(scope="module")
def old(built, each, thorough) -> Iterator[Old]:
    with old_server(20 if thorough else 3, each) as found:
        yield found


def test_the_whole_move(old, each, cli, seat):
    ours = Profile.load("practice").settings
    # No authority would sign while the name leads to the old server.
    named = replace(ours, old_server=old.address, tls="self-signed")
    tasks.save_settings(tasks.HERE, named)
    assert cli.json("apply", "tls.certificate")["actions"] == 1
    found = cli.json("apply", "moving.the_way")["findings"]
    assert "not-compared" in {f["kind"] for f in found}
    target = tasks.move_target(tasks.HERE)
    real = old.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert real in target.fingerprints
    tasks.save_settings(tasks.HERE, replace(named, old_fingerprint=real))
    assert cli.json("apply", "moving.the_way")["ok"]
    shell(NO_GREYLIST)
    with pytest.raises(GuideError) as told:
        tasks.move_look(tasks.HERE)
    assert told.value.kind == "server-refused"
    assert "Permission denied" in told.value.evidence
    old.run(f"echo '{target.public}' >> /root/.ssh/authorized_keys")
    with Post(old, seat["address"]) as post:
        walked = walk(old, post)
    assert walked == [
        "people",
        "keys",
        "mail",
        "close",
        "last",
        "names",
        "finish",
        "done",
    ]
    assert not post.refused
    came = f"doveadm search -u {old.people[1]} mailbox INBOX SUBJECT meanwhile FLAGGED"
    assert shell(came).strip(), "what has come here already stays"
    assert cli.json("check", "moving", "--prove")["ok"]
    for run in (old.run, shell):
        run(DELIVERED)
    compare(old, post, each)
    assert cli.json("check", "tls")["ok"], "brought is as good as signed by ourselves"
    tasks.save_settings(tasks.HERE, ours)
    assert cli.json("apply", "tls")["actions"] == 0
    pem = "cat /etc/letsencrypt/live/mail.example.test/fullchain.pem"
    assert shell(pem) == old.run(pem)
    shell(_certificate.renew(ours))
    assert shell(pem) != old.run(pem) and cli.json("check", "tls", "--prove")["ok"]


#: What was taken of the post is in its mailboxes; else the queue says why it is not.
DELIVERED = (
    f"({until(f'! postqueue -j | grep {STRANGER}', 600, 0.1)}) > /dev/null"
    " || { postqueue -j; exit 1; }"
)

#: A letter that nobody has on the old server, marked by its owner.
CAME_HERE = r"""printf 'Subject: meanwhile\n\nx\n' | doveadm save -u {who} -m INBOX
doveadm flags add -u {who} '\Flagged' mailbox INBOX SUBJECT meanwhile"""

#: The old door is closing, or shut.
DEFERS = "postconf -h smtpd_end_of_data_restrictions | grep -q ^defer"
SHUT = "! ss -Hltn 'sport = :25' | grep -q ."


@contextmanager
def just_brought(old: Old, post: Post) -> Iterator[None]:
    """A letter of which the server has heard one half before, and hears the other when
    the door is closing: it is taken.  Who comes later is told to come again, until
    nobody is heard at all."""
    mark, to = token(), old.people[0]
    half, rest = letter(mark, to).replace("\n", "\r\n").split("To: ", 1)
    with knock(old.address) as smtp, ThreadPoolExecutor(1) as pool:
        smtp.ehlo()
        smtp.mail(STRANGER)
        smtp.rcpt(to)
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(half)

        def _end() -> tuple[int, bytes]:
            old.run(until(f"{DEFERS} || {SHUT}", 600, 0.1))
            smtp.send(f"To: {rest}\r\n.\r\n")
            taken = smtp.getreply()
            smtp.quit()  # the door is shut when nobody stands in it
            old.run(f"({until(f'! {DEFERS}', 6000, 0)}) && {SHUT}")
            return taken

        said = pool.submit(_end)
        yield
        assert said.result()[0] == 250, said.result()
    post.sent[mark] = to


def walk(old: Old, post: Post) -> list[str]:
    """Every stage, each looked up anew, as from another computer."""
    now = tasks.move_look(tasks.HERE)
    stages = [now.next]
    while now.next != "done":
        if now.next == "close":
            post.sends(10)
            old.run(f"doveadm flags add -u {old.people[0]} '\\Flagged' mailbox INBOX 3")
            shell(CAME_HERE.format(who=old.people[1]))
            old.run("postconf -e 'smtpd_end_of_data_restrictions = permit'")
        if now.next == "finish":
            assert shell("postconf -h soft_bounce").strip() == "yes"
            post.moved.set()
            post.sends(5)
        if now.next == "names":
            assert tasks.apply(tasks.HERE, ["dns"]).ok
            now = tasks.move_look(tasks.HERE)
        elif now.next == "close":
            with just_brought(old, post):
                now = tasks.move_next(tasks.HERE)
        else:
            now = tasks.move_next(tasks.HERE)
        assert len(stages) < 12, stages
        stages += [now.next] if now.next != stages[-1] else []
    return stages


def compare(old: Old, post: Post, each: int) -> None:
    """Every letter that was there is here, with its flags; those of the post once."""
    there = json.loads(
        old.run(PROGRAM.replace('P("/etc/ispguide/secrets.json").read_text()', '"{}"'))
    )
    here = inventory(tasks.facts_of(tasks.HERE, [FACT]))
    assert len(there["letters and flags"]) >= 4 * len(old.people)
    assert there["address book"]["passwords and quotas"][0] == len(old.people)
    found = letters(shell, "/var/vmail")
    ours, theirs = set(found), set(letters(old.run, "/var/vmail"))
    assert theirs <= ours and len(theirs) >= each * len(old.people)
    assert len(found) == len(ours), "a letter came twice"
    came = {mark: [row for row in found if mark in row] for mark in post.sent}
    wrong = {mark: rows for mark, rows in came.items() if len(rows) != 1}
    ways = [run(WAY.format(mark=mark)) for mark in wrong for run in (old.run, shell)]
    assert not wrong, (
        f"of {len(came)} letters, missing or twice: {wrong}\n{''.join(ways)}"
    )
    assert shell(
        f"doveadm auth test {old.people[0]} 'secret of {old.people[0]}'"
    ).count("succeeded")
    assert here["address book"]["domains"][0] == 3
    kept = shell(KEPT)
    assert kept == old.run(KEPT) and "Familie" in kept and kept.count("\n") == 2
    assert shell("ispguide-move people > /dev/null && " + KEPT) == kept, (
        "once is enough"
    )
    assert (
        shell("mariadb -N roundcube -e 'SELECT DISTINCT mail_host FROM users'")
        == "localhost\n"
    )
    key = f"/var/lib/rspamd/dkim/example.test.{SELECTOR}.key"
    assert shell(f"sha256sum {key}") == old.run(f"sha256sum {key}")
    assert f"example.test {SELECTOR}" in shell("cat /etc/rspamd/dkim_selectors.map")
    assert shell("postconf -h soft_bounce").strip() == "no"
    own = old.run("postconf -h smtpd_end_of_data_restrictions").strip()
    assert own == "permit", "what was set there by hand"
    shell("test -s /var/lib/redis/dump.before-move")


#: What people keep in Roundcube, without the numbers of the rows.
KEPT = """mariadb --default-character-set=utf8mb4 -N roundcube -e "SELECT u.username, language, preferences, i.signature, c.name,
  c.email, vcard, words, g.name FROM users u LEFT JOIN identities i USING (user_id)
  LEFT JOIN contacts c USING (user_id) LEFT JOIN contactgroupmembers m USING (contact_id)
  LEFT JOIN contactgroups g USING (contactgroup_id)
  WHERE u.username NOT LIKE 'ispguide-proof%' ORDER BY c.email" """

#: What one of the two servers knows of a letter: its heads, and what the log says of it.
WAY = r"""echo; hostname; date
find /var/vmail \( -path '*/cur/*' -o -path '*/new/*' \) -exec grep -lF {mark} {{}} + | while read -r f; do
  echo "$f"; sed '/^$/q' "$f"; done
for id in $(journalctl -o cat -t postfix/cleanup | grep -F {mark} | cut -d: -f1 | sort -u); do
  journalctl -o short-precise | grep -F -e "$id" -e reload; done; true"""

LETTERS = r"""cd {top} && python3 - <<'END'
import hashlib, pathlib, re
for f in sorted(pathlib.Path(".").glob("*/*/Maildir/**/*")):
    if f.parent.name in ("cur", "new") and f.is_file():
        flags = "".join(sorted(set(f.name.partition(":2,")[2]) & set("DFPRST")))
        data = f.read_bytes()
        mark = re.search(rb"Message-ID: <([^>]*)>", data)
        print(f.parent.parent, flags, hashlib.sha256(data).hexdigest(), (mark or [b"", b"-"])[1].decode())
END"""


def letters(run, top: str) -> list[str]:
    """A line a letter: its folder, its flags, what is in it, its name."""
    said = run(LETTERS.format(top=top))
    return [line for line in said.splitlines() if "ispguide-proof" not in line]


@pytest.mark.thorough
def test_one_mailbox_from_any_provider(built):
    """By IMAP alone: letters, folders and flags come, a second time nothing comes twice,
    and the password there is known to nobody afterwards."""
    back_to_built()
    carl, friend = "carl@example.test", lab.status().as_dict()["friend"]
    word = Path(friend["password_file"]).read_text()
    tasks.people_add(tasks.HERE, carl, Secret("secret of carl"))
    trust = ssl.create_default_context(cafile=friend["ca_file"])
    trust.check_hostname = False
    with imaplib.IMAP4_SSL(friend["address"], 993, ssl_context=trust) as there:
        there.login(friend["user"], word)
        there.create("Holidays")
        for n in range(3):
            text = f"From: a@elsewhere.test\r\nSubject: beach {n}\r\n\r\n{token()}\r\n"
            there.append("Holidays", r"(\Flagged)" if n else "", "", text.encode())
        try:
            for _ in range(2):
                tasks.move_mailbox(tasks.HERE, carl, "mail.friend.test", friend["user"], Secret(word))  # fmt: skip
                look = f"doveadm -f tab fetch -u {carl} 'hdr.subject flags' mailbox Holidays all"
                rows = sorted(shell(look).splitlines()[1:])
                assert len(rows) == 3 and sum(r"\Flagged" in row for row in rows) == 2
            with pytest.raises(GuideError) as told:
                tasks.move_mailbox(tasks.HERE, carl, "mail.friend.test", friend["user"], Secret("wrong-password"))  # fmt: skip
            assert told.value.kind == "server-refused"
            assert "wrong-password" not in str(told.value) + told.value.evidence
        finally:
            there.delete("Holidays")
    left = f"grep -rlF -- '{word}' /etc/ispguide /var/lib/ispguide /run/ispguide; ls /run/ispguide-imap.conf 2>&1; true"
    assert "No such file" in shell(left) and "/etc" not in shell(left)
    assert "imap-there" not in shell("cat /etc/ispguide/secrets.json")
    tasks.people_remove(tasks.HERE, carl)
