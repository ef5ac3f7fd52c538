"""Things as tables: have → gap → fix, with plain dicts and no server."""

import pytest

from ispguide import facts
from ispguide.actions import (
    Attributes,
    MakeSecret,
    Remove,
    Run,
    Start,
    Write,
    as_message,
    marker,
)
from ispguide.facts import Unsure
from ispguide.mail import MailDomain, MasterService, Postconf
from ispguide.sql import Database, SqlTable, SqlUser
from ispguide.sqltext import literal
from ispguide.things import (
    Absent,
    Check,
    Directory,
    File,
    Link,
    Packages,
    Proof,
    ServerSecret,
    Service,
    User,
)

PATH = "/etc/thing.conf"
FILE = File(PATH, text="a = 1\n", mode=0o640, group="mail")
RIGHT = {
    "kind": "file",
    "text": "a = 1\n",
    "mode": "0640",
    "owner": "root",
    "group": "mail",
}


@pytest.mark.parametrize(
    ("now", "said", "action"),
    [
        (RIGHT, "", None),
        ({"kind": "none"}, "is missing", Write),
        (RIGHT | {"text": "a = 2\n"}, "-a = 2\n+a = 1", Write),
        (RIGHT | {"mode": "0644"}, "0644 root:mail", Attributes),
        (RIGHT | {"owner": "anna"}, "anna:mail", Attributes),
        ({"kind": "directory"}, "is a directory", Write),
        ({"error": "no answer within 10 s"}, "no answer", Write),
    ],
)
def test_file(now, said, action):
    have = {facts.file(PATH): now}
    gap = FILE.gap(have)
    assert said in gap
    assert bool(gap) == bool(action)
    if action:
        assert isinstance(FILE.fix(have)[0], action)


def test_an_unknown_password_is_not_shown_in_a_diff():
    file = File(PATH, text="user = x\npassword = ⟦pw⟧\n", mode=0o640)
    now = RIGHT | {"text": "user = x\npassword = hunter2\n"}
    gap = file.gap({facts.file(PATH): now})
    assert "hunter2" not in gap
    assert "⟦pw⟧" in gap
    marked = RIGHT | {"text": "user = y\npassword = ⟦pw⟧\n"}
    assert "-user = y" in file.gap({facts.file(PATH): marked})


def test_a_file_that_could_not_be_read_is_unsure_and_not_broken():
    assert isinstance(FILE.gap({facts.file(PATH): {"error": "x"}}), Unsure)


UNIT = {
    "load": "loaded",
    "active": "active",
    "enabled": "enabled",
    "since": 100,
    "result": "success",
    "restarts": 0,
    "condition": "yes",
    "sub": "running",
}
SERVICE = Service(
    "rspamd", reads="/etc/rspamd", ports=(11332,), test="rspamadm configtest"
)


@pytest.mark.parametrize(
    ("unit", "newest", "ports", "said"),
    [
        ({}, 99, [11332], ""),
        ({}, 100, [11332], "still runs with what it read before /etc/rspamd/x"),
        ({"active": "failed", "result": "exit-code"}, 99, [], "it failed (exit-code)"),
        ({"active": "inactive"}, 99, [], "not running"),
        ({"enabled": "disabled"}, 99, [11332], "would not start at boot"),
        ({"enabled": "masked"}, 99, [11332], "masked"),
        ({}, 99, [25], "nothing listens on port 11332"),
        ({"load": "not-found", "active": "inactive"}, 99, [], "no service rspamd"),
    ],
)
def test_service(unit, newest, ports, said):
    have = {
        facts.unit("rspamd"): UNIT | unit,
        facts.newest("/etc/rspamd"): {"path": "/etc/rspamd/x", "time": newest},
        facts.listening(): [["127.0.0.1", p, "rspamd"] for p in ports],
    }
    gap = SERVICE.gap(have)
    assert said in gap
    assert bool(gap) == bool(said)


def test_a_service_is_reloaded_where_that_is_enough_and_started_where_it_is_not():
    service = Service("dovecot", reload=True)
    running = {facts.unit("dovecot"): UNIT}
    stopped = {facts.unit("dovecot"): UNIT | {"active": "inactive"}}
    assert [a.verb for a in service.fix(running)] == ["reload"]
    assert [a.verb for a in service.fix(stopped)] == ["restart"]


def test_packages_install_only_what_is_missing():
    thing = Packages("postfix", "swaks", preseed=["postfix q string x"])
    have = {facts.package("postfix"): "3.7.11", facts.package("swaks"): ""}
    assert "swaks" in thing.gap(have)
    assert "postfix" not in thing.gap(have)
    seed, install = thing.fix(have)
    assert seed.stdin == "postfix q string x\n"
    assert install.command.endswith("install swaks")


def test_directory_link_absent_user():
    none = {"kind": "none"}
    have = {facts.file("/a"): none, facts.file("/b"): RIGHT, facts.user("vmail"): {}}
    assert "missing" in Directory("/a").gap(have)
    assert "should be a link to /x" in Link("/a", "/x").gap(have)
    assert Absent("/a", "why").gap(have) == ""
    assert "why" in Absent("/b", "why").gap(have)
    assert Absent("/b", "why").fix(have) == [Remove("/b")]
    assert "no user vmail" in User("vmail", 5000, "/var/vmail").gap(have)


def test_a_user_with_another_number_is_named():
    have = {facts.user("vmail"): {"uid": 1001, "gid": 5000, "home": "/var/vmail"}}
    assert "uid 1001 (should be 5000)" in User("vmail", 5000, "/var/vmail").gap(have)


def test_secret_is_made_once_and_again_when_its_source_changed():
    thing = ServerSecret("hash", source="pw", derive="rspamadm pw")
    fact = facts.secret("hash")
    assert thing.gap({fact: {"made": True, "source_same": True}}) == ""
    assert thing.gap({fact: {"made": False, "source_same": True}})
    assert thing.gap({fact: {"made": True, "source_same": False}})
    assert isinstance(thing.fix({})[0], MakeSecret)


def test_check_shows_what_was_said():
    thing = Check("the sky is blue", "look up", answer="^blue$", do="Wait for summer.")
    fact = facts.run("look up")
    assert thing.gap({fact: {"rc": 0, "out": "blue\n", "err": ""}}) == ""
    gap = thing.gap({fact: {"rc": 0, "out": "grey\n", "err": ""}})
    assert "grey" in gap
    assert "Wait for summer." in gap
    assert isinstance(thing.gap({fact: {"error": "no answer"}}), Unsure)


@pytest.mark.parametrize(
    ("answer", "said", "unsure"),
    [
        ({"ok": True, "seen": "250"}, "", False),
        ({"ok": False, "seen": "250 Ok"}, "250 Ok", False),
        ({"ok": None, "seen": "no route"}, "no route", True),
        ({"error": "OSError"}, "OSError", True),
    ],
)
def test_proof(answer, said, unsure):
    fact = facts.proof("relay_refused")
    gap = Proof("nobody relays", fact).gap({fact: answer})
    assert said in gap
    assert isinstance(gap, Unsure) == unsure


def test_postconf_names_each_wrong_setting_and_sets_only_those():
    thing = Postconf(biff="no", myhostname="mail.example.test")
    have = {facts.postconf(): {"biff": "yes", "myhostname": "mail.example.test"}}
    assert thing.gap(have) == "biff is 'yes', should be 'no'."
    (run,) = thing.fix(have)
    assert run.command.startswith("postconf -e 'biff = no' && touch")
    assert run.touches == ("/etc/postfix/main.cf",)


LINE = "submission inet n - y - - smtpd"


def test_a_master_service_keeps_options_made_by_hand():
    thing = MasterService(
        "submission/inet", LINE, {"smtpd_tls_security_level": "encrypt"}
    )
    now = {"line": LINE.replace("- y", "- n"), "options": {"by_hand": "1"}}
    have = {facts.master(): {"submission/inet": now}}
    assert "should say" in thing.gap(have)
    (run,) = thing.fix(have)
    assert "submission/inet/by_hand=1" in run.command
    assert thing.gap({facts.master(): {}}).startswith(
        "The service submission/inet is not"
    )


TABLE = SqlTable(
    "db", "t", {"id": "int(11) NOT NULL"}, {"name": "UNIQUE KEY `n` (`n`)"}
)
CREATED = (
    "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  UNIQUE KEY `n` (`n`)\n"
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
)


@pytest.mark.parametrize(
    ("text", "said", "sql"),
    [
        (CREATED, "", ""),
        (
            CREATED.replace("int(11)", "bigint(20)"),
            "column id",
            "MODIFY COLUMN `id` int(11)",
        ),
        (CREATED.replace("  UNIQUE KEY `n` (`n`)\n", ""), "key name", "ADD UNIQUE KEY"),
        (CREATED.replace("mb4", ""), "does not store utf8mb4", "CONVERT TO"),
    ],
)
def test_table(text, said, sql):
    have = {TABLE.facts()[0]: {"rows": [["t", text]]}}
    gap = TABLE.gap(have)
    assert said in gap
    if said:
        assert sql in TABLE.fix(have)[0].stdin


def test_a_missing_table_is_created():
    have = {TABLE.facts()[0]: {"error": "Table 'db.t' doesn't exist"}}
    assert "doesn't exist" in TABLE.gap(have)
    assert TABLE.fix(have)[0].stdin.startswith("CREATE TABLE db.t")


@pytest.mark.parametrize(
    ("grants", "password", "said"),
    [
        (
            [
                "GRANT USAGE ON *.* TO `m`@`h` IDENTIFIED BY PASSWORD '*X'",
                "GRANT SELECT ON `db`.* TO `m`@`h`",
            ],
            [["m"]],
            "",
        ),
        (["GRANT USAGE ON *.* TO `m`@`h`"], [["m"]], "no rights"),
        (["GRANT ALL PRIVILEGES ON *.* TO `m`@`h`"], [["m"]], "ALL PRIVILEGES"),
        (["GRANT SELECT ON `db`.* TO `m`@`h`"], [], "another password"),
    ],
)
def test_sql_user(grants, password, said):
    user = SqlUser("m", "h", "secret", ("SELECT ON `db`.*",))
    asked = list(user.facts())
    have = {asked[0]: {"rows": [[g] for g in grants]}, asked[1]: {"rows": password}}
    gap = user.gap(have)
    assert said in gap
    assert bool(gap) == bool(said)
    assert marker("secret") in user.fix(have)[0].stdin


def test_sql_values_cannot_break_out():
    evil = "x'; DROP TABLE virtual_users; --"
    assert "DROP" not in literal(evil)
    assert "'" not in literal(evil)
    have = {MailDomain(evil).facts()[0]: {"rows": []}}
    assert "DROP" not in MailDomain(evil).fix(have)[0].stdin
    assert "no database" in Database("d").gap({Database("d").facts()[0]: {"rows": []}})


def test_actions_travel_as_plain_data_and_hide_typed_passwords():
    run = Run("mariadb", stdin="x", hashes={"new": "hunter2!"})
    assert as_message(run)["do"] == "run"
    assert "hunter2" not in repr(run)
    assert "hunter2" not in run.by_hand()
    assert as_message(Start("ssh"))["with"]["verb"] == "restart"
