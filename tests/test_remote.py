"""The far side as it runs there: a program of its own, asked on this machine.

What changes something happens below a folder of the test's own.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "ispguide"
HEAD = """
import json, sys
from pathlib import Path
sys.path.insert(0, {program!r})
import remote.__main__ as main
from remote import asking, common, doing, mailbox, runs, vault
top = Path({top!r})
common.STATE, common.RUNS = top / "state", top / "runs"
vault.SECRETS = top / "secrets.json"
vault.VAULT.load()
said = []
"""


@pytest.fixture
def far(tmp_path):
    def run(code):
        head = HEAD.format(program=str(FOLDER), top=str(tmp_path))
        done = subprocess.run(
            [sys.executable, "-I", "-c", head + code], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_program_that_does_not_read_its_question_takes_nobody_along(tmp_path):
    """mariadb, for one, ends at once when its server is stopped."""
    request = {"verb": "exchange", "tell": [["run", "exit 3", "much"]]}
    head = HEAD.format(program=str(FOLDER), top=str(tmp_path))
    code = f"""
main.os.geteuid = lambda: 0
request = {request!r}
request["tell"][0][2] = "x" * 200_000
main.main(request)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", head + code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    ((_, said),) = json.loads(done.stdout)["answer"]["have"]
    assert said["rc"] == 3


def test_of_all_secrets_only_those_are_told_that_are_lost_with_the_server(far):
    said = far("""
kept = {n: {"value": f"{n}-value", "source": "", "source_name": ""} for n in ("backup", "redis")}
vault.VAULT.values = kept
found = [main.answer_to({"verb": "secret", "name": n}) for n in ("backup", "redis", "?")]
print(json.dumps(found))
""")
    assert said[0] == {"value": "backup-value"}
    assert all("not told" in answer["error"] for answer in said[1:])


def test_it_needs_nothing_but_the_standard_library():
    code = f"import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]; sys.path.insert(0, {str(FOLDER)!r}); import remote.__main__, remote.mailbox"
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_questions_are_answered_together_and_a_bad_one_is_an_answer(far, tmp_path):
    (tmp_path / "f").write_text("x\n")
    facts = [
        ["file", str(tmp_path / "f")],
        ["file", "/no/such"],
        ["run", "exit 3", ""],
        ["run"],
    ]
    answers = far(f"print(json.dumps(asking.tell({facts!r})))")
    by_fact = {tuple(f): a for f, a in answers}
    assert by_fact["file", str(tmp_path / "f")]["text"] == "x\n"
    assert by_fact["file", "/no/such"] == {"kind": "none"}
    assert by_fact["run", "exit 3", ""]["rc"] == 3
    assert "error" in by_fact["run",]


def test_a_question_has_a_time_limit(far):
    answer = far(
        "common.LIMIT = 1; common.call.__defaults__ = ('', 1)\nprint(json.dumps(asking.tell([('run', 'sleep 60', '')])))"
    )
    assert "no answer within 1 s" in answer[0][1]["error"]


DO = """
about = {{"id": "1", "who": "anna", "step": "c.s"}}
done = doing.Transaction({{"run": about}}, said.append).perform({actions})
print(json.dumps({{"done": done, "said": said, "ledger": asking.ask_ledger()}}))
"""


def write(path, text, mode=0o640):
    return {
        "do": "write",
        "say": "write",
        "with": {
            "path": str(path),
            "text": text,
            "mode": mode,
            "owner": "root",
            "group": "root",
        },
    }


def run(command, touches=()):
    return {
        "do": "run",
        "say": command,
        "with": {"command": command, "touches": [str(t) for t in touches]},
    }


def test_a_file_is_written_with_its_mode_and_remembered(far, tmp_path):
    (tmp_path / "f").write_text("old\n")
    answer = far(DO.format(actions=[write(tmp_path / "f", "new\n")]))
    assert answer["done"]["ok"]
    assert (tmp_path / "f").read_text() == "new\n"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640
    (entry,) = answer["ledger"]
    kept = tmp_path / "state" / "before" / entry["before"]["object"]
    assert kept.read_text() == "old\n"
    assert kept.stat().st_mode & 0o077 == 0
    assert (entry["who"], entry["step"]) == ("anna", "c.s")


def test_when_one_action_fails_everything_is_put_back(far, tmp_path):
    old = tmp_path / "old"
    old.write_text("old\n")
    old.chmod(0o600)
    new = tmp_path / "sub" / "new"
    touched = tmp_path / "touched"
    touched.write_text("before\n")
    actions = [
        write(old, "changed\n"),
        write(new, "new\n"),
        run(f"echo after > {touched}", [touched]),
        run("echo the reason; exit 1"),
    ]
    answer = far(DO.format(actions=actions))
    assert answer["done"]["failed"] == 3
    assert "the reason" in answer["done"]["evidence"]
    assert old.read_text() == "old\n"
    assert old.stat().st_mode & 0o777 == 0o600
    assert not new.exists()
    assert touched.read_text() == "before\n"


def test_what_the_system_refuses_is_put_back_too(far, tmp_path):
    """A full disk, a file where a folder should be: no action of ours says no there."""
    old, plain = tmp_path / "old", tmp_path / "plain"
    for path in (old, plain):
        path.write_text("old\n")
    actions = [write(old, "changed\n"), write(plain / "below", "new\n")]
    done = far(DO.format(actions=actions))["done"]
    assert (done["ok"], done["failed"], done["back"]) == (False, 1, [str(old)])
    assert old.read_text() == "old\n"


def test_a_typed_password_is_hidden_from_six_signs_on(far):
    said = far("""
vault = vault.VAULT; vault.load(["gOb-7x", "a longer one"])
print(json.dumps(vault.hide("gOb-7x, then a longer one")))
""")
    assert said == "•••, then •••"


def test_secrets_are_made_there_and_only_markers_come_out(far, tmp_path):
    actions = [
        {
            "do": "secret",
            "say": "s",
            "with": {"name": "pw", "source": "", "derive": "", "length": 30},
        },
        write(tmp_path / "f", "password = ⟦pw⟧\n"),
        run(f"cat {tmp_path}/f"),
        {
            "do": "secret",
            "say": "s",
            "with": {
                "name": "hash",
                "source": "pw",
                "derive": "sha256sum | cut -c-64",
                "length": 0,
            },
        },
    ]
    code = DO.format(actions=actions).replace(
        "print(",
        "print(json.dumps(asking.tell([('file', str(top/'f')), ('secret', 'hash')])), file=sys.stderr);print(",
    )
    answer = far(code)
    value = json.loads((tmp_path / "secrets.json").read_text())["pw"]["value"]
    assert (tmp_path / "f").read_text() == f"password = {value}\n"
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    assert value not in json.dumps(answer)
    assert {"line": "password = ⟦pw⟧"} in answer["said"]


def test_a_missing_secret_stops_before_anything_is_written(far, tmp_path):
    answer = far(DO.format(actions=[write(tmp_path / "f", "⟦none⟧")]))
    assert "no secret called none" in answer["done"]["evidence"]
    assert not (tmp_path / "f").exists()


def test_a_restored_file_is_what_it_was(far, tmp_path):
    (tmp_path / "f").write_text("old\n")
    (tmp_path / "f").chmod(0o2750)
    first = far(DO.format(actions=[write(tmp_path / "f", "new\n")]))
    before = first["ledger"][0]["before"]
    back = {
        "do": "restore",
        "say": "restore",
        "with": {"path": str(tmp_path / "f"), "before": before},
    }
    assert far(DO.format(actions=[back]))["done"]["ok"]
    assert (tmp_path / "f").read_text() == "old\n"
    assert (tmp_path / "f").stat().st_mode & 0o7777 == 0o2750


def test_times_are_read_with_microseconds(far):
    assert (
        far('print(asking.microseconds("Thu 1970-01-01 00:00:02.000345 UTC"))')
        == 2000345
    )
    assert far('print(asking.microseconds("n/a"))') == 0


def test_letters_of_a_proof_are_waited_for_or_taken_back(far):
    """Waited for while one is delivered, not too long, and taken back when it would be
    tried again; a person's letter is neither, whom else it also goes to."""
    ours, person = "proof-1@example.test", "anna@example.test"
    queue = [
        {"queue_name": name, "queue_id": str(number), "sender": sender,
         "recipients": [{"address": to} for to in all_of_them]}
        for number, (name, sender, all_of_them) in enumerate([
            ("deferred", person, [ours, person]), ("deferred", ours, [person]),
            ("deferred", "", ["proof-1-alias@example.test"]), ("active", "", [ours]),
            ("active", "proof-2@example.test", [person]), ("deferred", person, []),
            ("active", person, ["proof-3@example.test", person]), ("incoming", "", [])])
    ]  # fmt: skip
    lines = "\n".join(map(json.dumps, queue))
    said = far(f"""
gone = []
def call(argv, stdin="", limit=10):
    gone.extend(stdin.split())
    return 0, {lines!r}, ""
common.call = mailbox.call = call
under_way = [mailbox.under_way(f"proof-{{n}}", "example.test", False) for n in (1, 2, 3, 4)]
at_first = list(gone)
mailbox.under_way("proof-1", "example.test", True)
print(json.dumps([under_way, at_first, gone[len(at_first):]]))
""")
    assert said == [[True, True, True, False], ["1", "2"], ["1", "2", "3"]]


def test_a_password_becomes_a_bcrypt_hash_and_a_longer_one_is_refused(far):
    hashed = far("print(json.dumps(vault.hash_password('ä\"x')))")
    assert hashed.startswith("{BLF-CRYPT}$2y$12$")
    said = far("""
try:
    vault.hash_password("x" * 73)
except common.Failed as failure:
    print(json.dumps(str(failure)))
""")
    assert "72 bytes" in said
