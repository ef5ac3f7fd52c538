"""The safe, as far as no server is needed: places, gaps, lists, the page, the counting."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from ispguide.chapters import backup
from ispguide.engine import facts, problems
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Ran
from ispguide.engine.gaps import Gap, Unsure
from ispguide.mail.backup import inventory, restore, things
from ispguide.mail.backup.things import KnownMachine, LastBackup
from ispguide.proofs.messages import message
from ispguide.remote import backup as backup_program
from ispguide.replay.server import NotRecorded, Replay, profile
from tests.fake import SETTINGS as S

ELSEWHERE = replace(S, backup_to="keeper@vault.friend.test:mail")
LAST, EMPTIED = things.LAST, things.EMPTIED
DAY = 86400


def had(state: dict | None, now: float = 1e9, adopted: bool = False) -> dict:
    out = f"{now}\n{json.dumps(state) if state else ''}"
    kind = "file" if adopted else "none"
    return {LAST: {"rc": 0, "out": out, "err": ""}, EMPTIED: {"kind": kind}}


GOOD = {
    "ok": True, "failed": "", "time": 1e9 - 60, "to": things.FOLDER,
    "snapshot": "ab12", "files": 3, "bytes": 5 << 20, "added": 7 << 10,
}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "fine"),
    [
        ("", True),
        ("u1@box.example:backups/mail", True),
        ("u1@box.example:/srv/mail", True),
        ("box.example:mail", False),
        ("u1@box.example", False),
        ("u1@box.example:mail; reboot", False),
        ("u1@-oProxyCommand=x:mail", False),
    ],
)
def test_where_backups_may_go(target, fine):
    assert (not problems.of(replace(S, backup_to=target))) is fine


def test_a_fingerprint_is_one():
    good = "SHA256:" + "a" * 43
    assert not problems.of(replace(ELSEWHERE, backup_fingerprint=good))
    assert problems.of(replace(ELSEWHERE, backup_fingerprint="MD5:aa:bb"))


def test_the_repository_in_the_words_of_restic():
    assert things.repository(S) == "/var/backups/ispguide"
    assert things.repository(ELSEWHERE) == "sftp:ispguide-backup:mail"


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, str]:
    """Two host keys: fingerprint → line of known_hosts, as ssh-keygen has them."""
    folder, found = tmp_path_factory.mktemp("keys"), {}
    for kind in ("ed25519", "ecdsa"):
        path = folder / kind
        subprocess.run(["ssh-keygen", "-qN", "", "-t", kind, "-f", path], check=True)
        told = subprocess.run(
            ["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True
        )
        words = path.with_suffix(".pub").read_text().split()
        found[told.stdout.split()[1]] = f"vault.friend.test {words[0]} {words[1]}"
    return found


def test_fingerprints_are_those_of_ssh_keygen(keys):
    text = "# a comment\n" + "\n".join(keys.values()) + "\nnot a key !!\n"
    assert things.fingerprints(text) == list(keys)


def test_only_the_compared_key_is_known(keys):
    first, second = keys
    thing = KnownMachine("vault.friend.test", 22, first)

    def gap(text: str) -> Gap:
        return thing.gap({facts.file(things.KNOWN): {"kind": "file", "text": text}})

    assert gap(keys[first]) == ""
    for known in (keys[second], keys[first] + "\n" + keys[second]):
        assert gap(known).kind == "differs" and second in gap(known)
    assert thing.gap({facts.file(things.KNOWN): {"kind": "none"}}).kind == "missing"
    (run,) = thing.fix({})
    assert first in run.command and "StrictHostKeyChecking" not in run.command


def test_nobody_compared_means_nothing_is_believed():
    thing = KnownMachine("vault.friend.test", 22, "")
    assert thing.gap({}).kind == "not-compared"
    assert thing.fix({}) == ()


def test_the_fix_keeps_one_key_of_several(keys, tmp_path, monkeypatch):
    """The command itself, with a machine that shows two keys and one that shows others."""
    first, second = keys
    known = tmp_path / "known"
    (run,) = KnownMachine("vault.friend.test", 22, first).fix({})
    scan = things.scan("vault.friend.test", 22)

    def done(*lines: str) -> int:
        shown = "printf '%s\\n' " + " ".join(f"'{line}'" for line in lines)
        command = run.command.replace(scan, shown).replace(things.KNOWN, str(known))
        return subprocess.run(["sh", "-ec", command], capture_output=True).returncode

    assert done(keys[second]) != 0 and not known.exists()
    assert done(keys[second], keys[first]) == 0
    assert known.read_text().strip() == keys[first]


def test_how_the_last_backup_went():
    thing = LastBackup()
    assert thing.gap(had(GOOD)) == ""
    assert "ab12" in thing.evidence(had(GOOD))
    assert thing.gap(had(None)).kind == "missing"
    failed = thing.gap(had(GOOD | {"ok": False, "failed": "no space left"}))
    assert failed.kind == "failed" and "no space left" in failed
    old = thing.gap(had(GOOD | {"time": 1e9 - 5 * DAY}))
    assert old.kind == "too-old" and "5" in old
    unsure = {LAST: {"error": "no answer within 10 s"}, EMPTIED: {"kind": "none"}}
    assert isinstance(thing.gap(unsure), Unsure)


def test_a_new_server_makes_no_backup_before_it_emptied_the_safe():
    have = had(None, adopted=True)
    gap = LastBackup().gap(have)
    assert gap.kind == "waits" and "./guide restore server" in gap
    assert LastBackup().fix(have) == ()
    unit = next(
        t for t in backup.chapter["program"].things(S) if str(t).endswith(things.UNIT)
    )
    assert f"ConditionPathExists=!{things.ADOPTED}" in unit.text


def test_another_machine_gets_a_key_and_is_pinned():
    kinds = [str(t) for t in backup.chapter["place"].things(ELSEWHERE)]
    assert "the key of vault.friend.test" in kinds
    ssh = next(t for t in backup.chapter["place"].things(ELSEWHERE) if t.__str__() == f"file {things.SSH}")  # fmt: skip
    for line in (
        "HostName vault.friend.test",
        "User keeper",
        "StrictHostKeyChecking yes",
    ):
        assert line in ssh.text
    assert not [k for k in map(str, backup.chapter["place"].things(S)) if "vault" in k]


def test_left_out_means_no_gap():
    without = replace(S, backup=False)
    assert not [t for step in backup.chapter for t in step.things(without)]


SNAPSHOTS = [
    {"short_id": "b2", "time": "2026-11-25T03:00:00.123456789Z"},
    {"short_id": "a1", "time": "2026-11-24T03:00:00.5+01:00"},
]


def test_the_list_is_read_oldest_first():
    answer = {"rc": 0, "out": json.dumps(SNAPSHOTS), "err": ""}
    found = restore.opened_repository({restore.LIST: answer} | had(GOOD), things.FOLDER)
    assert [one.number for one in found.snapshots] == ["a1", "b2"]
    assert found.snapshots[1].time - found.snapshots[0].time == 25 * 3600
    assert found.state["ok"] and found.now == 1e9


def test_a_safe_that_does_not_open_is_told_in_a_sentence():
    answer = {"rc": 1, "out": "", "err": "wrong password"}
    with pytest.raises(GuideError) as told:
        restore.opened_repository({restore.LIST: answer} | had(GOOD), things.FOLDER)
    assert told.value.kind == "no-answer" and "wrong password" in told.value.evidence


@pytest.mark.parametrize("text", ["", "latest; reboot", "ABCDEF", "../x", "12"])
def test_what_is_no_number_of_a_backup(text):
    with pytest.raises(GuideError) as stop:
        restore.valid_number(text)
    assert stop.value.kind == "no-such-backup"
    assert restore.valid_number("latest") and restore.valid_number("ab12cd34")


def test_a_password_is_never_part_of_a_command():
    word = "correct-horse-battery"
    for action in restore.adopt(word, there=True):
        assert word not in action.by_hand() and word not in repr(action)


def test_who_lives_there_is_counted():
    assert restore.lived_in({restore.PEOPLE: {"rows": [["3"]]}}) == 3
    assert restore.lived_in({restore.PEOPLE: {"error": "no such table"}}) == 0


def test_the_page_for_the_drawer():
    page = "\n".join(restore.lines(ELSEWHERE, "the-password"))
    assert "the-password" in page
    assert "sftp://keeper@vault.friend.test:22/mail" in page
    assert "copy it elsewhere" in "\n".join(restore.lines(S, "x"))


def test_what_is_not_equal_is_named():
    before = {"letters and flags": {"anna INBOX": [2, "aa"], "ben INBOX": [1, "bb"]}}
    assert inventory.differences(before, before) == []
    after = {"letters and flags": {"anna INBOX": [1, "cc"], "eve INBOX": [1, "dd"]}}
    told = inventory.differences(before, after)
    assert told == [
        "letters and flags, anna INBOX: 2 before, 1 now",
        "letters and flags, ben INBOX: 1 before, 0 now",
        "letters and flags, eve INBOX: not there before",
    ]
    other = {"letters and flags": {"anna INBOX": [2, "xx"], "ben INBOX": [1, "bb"]}}
    assert inventory.differences(before, other) == [
        "letters and flags, anna INBOX: others now"
    ]
    assert inventory.counted(before) == ["letters and flags: 3 in 2"]


def test_a_replay_tells_no_password():
    with pytest.raises(NotRecorded):
        Replay(profile()).secret(things.SECRET)


# the program on the server, as far as it runs anywhere


@pytest.fixture
def program(tmp_path, monkeypatch) -> ModuleType:
    """It, with all it writes below a folder of the test's own."""
    made = backup_program
    for name in ("STATE", "DUMP", "SCRATCH", "LEDGER", "ADOPTED"):
        monkeypatch.setattr(made, name, tmp_path / name.lower())
    monkeypatch.setenv("RESTIC_REPOSITORY", "/nowhere")
    return made


def test_a_failed_run_says_so_and_keeps_the_history(program, monkeypatch):
    program.keep(program.STATE, json.dumps({"last_good": 5, "history": [{"ok": True}]}))
    monkeypatch.setattr(program, "restic", lambda *words: "")
    monkeypatch.setattr(program, "dump", lambda: ["mailserver"])

    def full() -> dict:
        raise program.Failed("restic backup: no space left on device")

    monkeypatch.setattr(program, "copy", full)
    with pytest.raises(program.Failed):
        program.run()
    state = program.known()
    assert (state["ok"], state["last_good"]) == (False, 5)
    assert "no space left" in state["failed"]
    assert [h["ok"] for h in state["history"]] == [True, False]
    assert program.STATE.stat().st_mode & 0o777 == 0o600


def test_the_whole_is_read_through_once_a_week(program, monkeypatch):
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(program, "restic", lambda *words: said.append(words) or "")
    for name in ("DAILY", "WEEKLY", "MONTHLY"):
        monkeypatch.setenv(f"KEEP_{name}", "3")
    now = program.time.time()
    assert program.tidy(now) == {}
    assert [words[0] for words in said] == ["forget"]
    assert {"--keep-daily=3", "--keep-weekly=3", "--keep-monthly=3"} <= set(said[0])
    assert program.tidy(now - 8 * DAY)["checked"] >= now
    assert [words[0] for words in said[1:]] == ["forget", "prune", "check"]


def test_letters_that_moved_meanwhile_are_looked_for_once_more(program, monkeypatch):
    codes = iter([3, 0])
    summary = {"snapshot_id": "abcdef0123", "total_files_processed": 1,
               "total_bytes_processed": 2, "data_added": 3}  # fmt: skip

    def run(argv: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        out = json.dumps(summary)
        return subprocess.CompletedProcess(argv, next(codes), out, "")

    monkeypatch.setattr(program.subprocess, "run", run)
    assert program.copy()["snapshot"] == "abcdef01"
    assert next(codes, None) is None


def test_owners_follow_their_names(program, tmp_path):
    (tmp_path / "etc").mkdir()
    book = "root:x:0:0::/root:/bin/sh\n_rspamd:x:117:122::/:/bin/false\n"
    (tmp_path / "etc" / "passwd").write_text(book)
    assert program.names(tmp_path, "passwd") == {0: "root", 117: "_rspamd"}
    here = program.pwd.getpwnam("root")
    assert program.number(program.pwd.getpwnam, "root", 7) == here.pw_uid
    assert program.number(program.pwd.getpwnam, "nobody-of-that-name", 7) == 7


DUMPED = """CREATE /*M!100103 OR REPLACE */ USER `root`@`localhost` IDENTIFIED VIA x;
CREATE /*M!100103 OR REPLACE */ USER `mailadmin`@`localhost` IDENTIFIED BY PASSWORD '*AB';
GRANT mariadb_dump_import_role TO CURRENT_USER();
GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION;
GRANT SELECT, DELETE ON `mysql`.`global_priv` TO `mariadb.sys`@`localhost`;
GRANT SELECT ON `mailserver`.* TO `mailadmin`@`localhost`;
"""


def test_root_of_the_database_is_never_made_anew(program):
    kept = program.users(DUMPED).splitlines()
    assert len(kept) == 2 and all("`mailadmin`@`localhost`" in line for line in kept)


def test_two_books_become_one(program, tmp_path):
    old = tmp_path / "away" / str(program.LEDGER).lstrip("/")
    (old.parent / "before").mkdir(parents=True)
    (old.parent / "before" / "abc").write_text("what was before")
    old.write_text('{"n": 1}\n{"n": 2}\n')
    program.LEDGER.write_text('{"n": 2}\n{"n": 3}\n')
    program.ledger(tmp_path / "away")
    assert program.LEDGER.read_text() == '{"n": 1}\n{"n": 2}\n{"n": 3}\n'
    assert (program.LEDGER.parent / "before" / "abc").exists()


def test_the_program_and_the_guide_mean_the_same_files():
    found = {getattr(backup_program, name) for name in ("STATE", "ADOPTED", "SETTINGS")}
    assert found == set(map(Path, (things.STATE, things.ADOPTED, things.ENVIRONMENT)))


# the proof, without a server


class Told:
    """A context that knows what the server would say, and what it was asked."""

    address = "proof@example.test"

    def __init__(self, *states: str, read: Ran | None = None):
        self.states, self.read, self.asked = list(states), read, list[str]()

    def tell(self, command: str) -> Ran:
        self.asked.append(command)
        if command.startswith("date"):
            return Ran(0, "100.0\n", "")
        if command.startswith("systemctl is-active"):
            return Ran(0, self.states.pop(0), "")
        return self.read or Ran(0, "", "")


def test_an_older_backup_is_not_taken_for_a_new_one(monkeypatch):
    from ispguide.proofs import operations

    monkeypatch.setattr(operations.time, "sleep", lambda seconds: None)
    old, new = '{"started": 50, "ok": true}', '{"started": 101, "ok": true}'
    told = Told(f"activating\n{old}", f"inactive\n{old}", f"inactive\n{new}")
    assert operations._made(told)["started"] == 101
    # Not while one is under way, and once when none is.
    assert sum("--no-block" in asked for asked in told.asked) == 1


#: Copies in a folder, where restic keeps backups: the little that is asked of it here.
RESTIC = """#!/bin/sh -e
[ "$1" = --quiet ] && shift
case $1 in
backup)
  for path; do :; done
  to=$RESTIC_REPOSITORY/ab12cd34$path
  mkdir -p "$(dirname "$to")" && cp -a "$path" "$to"
  echo '{"snapshot_id": "ab12cd34ef", "total_files_processed": 1, "total_bytes_processed": 2, "data_added": 3}' ;;
restore)
  [ -d "$RESTIC_REPOSITORY/$2" ] || { echo "no matching ID found for prefix $2" >&2; exit 1; }
  mkdir -p "$(dirname "$4$6")" && cp -a "$RESTIC_REPOSITORY/$2$6" "$4$6" ;;
esac
"""


class Kept:
    """A mailbox and its backup, in folders of the test: made by the server's program,
    read back by the proof's own commands."""

    address = "proof@example.test"

    def __init__(self, folder: Path, program: ModuleType):
        self.folder, self.program, self.mark = folder, program, ""
        self.mails = folder / "vmail/example.test/proof/Maildir"
        self.safe = Path(f"{folder}/safe/ab12cd34{self.mails}")
        self.afterwards: Callable[[Kept], object] = lambda kept: None
        for sub in ("new", "cur"):
            (self.mails / sub).mkdir(parents=True)
        self.write(self.mails / "cur" / "1.M1P1.mail,S=20,W=21:2,S", "an older letter")
        for name, text in {
            "bin/restic": RESTIC,
            "bin/systemctl": "#!/bin/sh\necho inactive\n",
            "backup.env": f"RESTIC_REPOSITORY={folder}/safe\n",
        }.items():
            self.write(folder / name, text)

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def message(self, where: Path) -> Path:
        (found,) = (path for path in where.glob("*/2.*,S=*"))
        return found

    def deliver(self, mark: str) -> None:
        """As Dovecot does it: the letter, and its subject in a cache."""
        self.mark = mark
        text = message(mark, self.address)
        self.write(self.mails / "new" / "2.M2P2.mail,S=400,W=411", text)
        self.write(self.mails / "dovecot.index.cache", f"A letter, {mark}")

    def tell(self, command: str) -> Ran:
        if command.startswith("systemctl start"):
            with suppress(self.program.Failed):  # systemd tells it to nobody
                self.program.run()
            self.afterwards(self)
            return Ran(0, "", "")
        for there, here in {
            "/var/vmail": "vmail", "/var/lib/ispguide": "", things.ENVIRONMENT: "backup.env",
        }.items():  # fmt: skip
            command = command.replace(there, str(self.folder / here))
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def kept(program, tmp_path, monkeypatch) -> Kept:
    """Such a mailbox, in which a stranger's letter arrives."""
    from ispguide.proofs import operations

    made = Kept(tmp_path, program)
    monkeypatch.setattr(program, "STATE", tmp_path / Path(things.STATE).name)
    monkeypatch.setattr(program, "PATHS", (str(tmp_path / "vmail"),))
    monkeypatch.setattr(program, "dump", lambda: ["mailserver"])
    monkeypatch.setenv("RESTIC_REPOSITORY", str(tmp_path / "safe"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for name in ("DAILY", "WEEKLY", "MONTHLY"):
        monkeypatch.setenv(f"KEEP_{name}", "3")
    monkeypatch.setattr(operations, "bring", lambda ctx, mark: made.deliver(mark))
    monkeypatch.setattr(operations, "arrived", lambda ctx, mark, said: (True, ""))
    monkeypatch.setattr(operations.time, "sleep", lambda seconds: None)
    return made


def nothing(kept: Kept) -> None:
    """Between the backup and the look at it."""


def read_by_its_owner(kept: Kept) -> None:
    new = kept.message(kept.mails)
    new.rename(kept.mails / "cur" / f"{new.name}:2,S")


def others_come_and_go(kept: Kept) -> None:
    (kept.mails / "cur" / "1.M1P1.mail,S=20,W=21:2,S").unlink()
    kept.write(kept.mails / "new" / "3.M3P3.mail,S=10,W=11", "a newer letter")


def changed_here(kept: Kept) -> None:
    path = kept.message(kept.mails)
    path.write_text(path.read_text() + ".")


def changed_in_the_backup(kept: Kept) -> None:
    path = kept.message(kept.safe)
    path.write_text(path.read_text() + ".")


def gone_here(kept: Kept) -> None:
    kept.message(kept.mails).unlink()


def not_in_the_backup(kept: Kept) -> None:
    kept.message(kept.safe).unlink()


def nowhere(kept: Kept) -> None:
    gone_here(kept)
    not_in_the_backup(kept)


@pytest.mark.parametrize("what", [nothing, read_by_its_owner, others_come_and_go])
def test_what_comes_back_is_equal(kept, what):
    from ispguide.proofs import operations

    kept.afterwards = what
    verdict, seen = operations.comes_back(kept)
    path = kept.message(kept.mails)
    assert kept.mark in path.read_text()
    mark = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (verdict, seen) == (
        True,
        f"Backup ab12cd34, read back: from the backup {mark}, in the mailbox {mark}.",
    )
    assert not list(kept.folder.glob("read-back.*")), "it leaves nothing behind"


@pytest.mark.parametrize(
    "what", [changed_here, changed_in_the_backup, gone_here, not_in_the_backup, nowhere]
)
def test_what_comes_back_is_not_equal(kept, what):
    from ispguide.proofs import operations

    kept.afterwards = what
    verdict, seen = operations.comes_back(kept)
    assert verdict is False and "Read back, and not equal: from the backup" in seen


def test_a_backup_that_cannot_be_opened_is_no_proof(kept):
    from ispguide.proofs import operations

    kept.afterwards = lambda kept: shutil.rmtree(kept.folder / "safe")
    verdict, seen = operations.comes_back(kept)
    assert verdict is False
    assert (
        seen == "Nothing could be read back: no matching ID found for prefix ab12cd34"
    )


def test_a_backup_that_failed_is_no_proof(kept, monkeypatch):
    from ispguide.proofs import operations

    def full() -> dict:
        raise kept.program.Failed("no space")

    monkeypatch.setattr(kept.program, "copy", full)
    assert operations.comes_back(kept) == (False, "The backup failed: no space")
