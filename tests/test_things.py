"""Things as tables: have → gap → fix, with plain dicts and no server."""

import pytest

from ispguide.engine import facts
from ispguide.engine.actions import (
    Attributes,
    MakeSecret,
    Remove,
    Run,
    Start,
    Write,
    as_message,
    marker,
)
from ispguide.engine.facts import Ran
from ispguide.engine.gaps import Unsure
from ispguide.engine.things import (
    Absent,
    Check,
    Directory,
    File,
    Link,
    Once,
    Packages,
    Proof,
    ServerSecret,
    Service,
    UnitRead,
    User,
)
from ispguide.mail.mariadb import Database, SqlTable, SqlUser, literal
from ispguide.mail.postfix import MailDomain, MasterService, Postconf

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
    ("now", "kind", "told", "action"),
    [
        (RIGHT, "", "", None),
        ({"kind": "none"}, "missing", PATH, Write),
        (RIGHT | {"text": "a = 2\n"}, "differs", "-a = 2\n+a = 1", Write),
        (RIGHT | {"mode": "0644"}, "wrong-permissions", "0644 root:mail", Attributes),
        (RIGHT | {"owner": "anna"}, "wrong-permissions", "anna:mail", Attributes),
        ({"kind": "directory"}, "wrong-type", "directory", Write),
        ({"error": "timed out"}, "unsure", "timed out", Write),
    ],
)
def test_file(now, kind, told, action):
    have = {facts.file(PATH): now}
    gap = FILE.gap(have)
    assert gap.kind == kind and told in gap
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


UNIT = {
    "load": "loaded",
    "active": "active",
    "enabled": "enabled",
    "since": 100,
    "result": "success",
    "restarts": 0,
    "read": True,
    "sub": "running",
}
SERVICE = Service(
    "rspamd", reads="/etc/rspamd", ports=(11332,), test="rspamadm configtest"
)


@pytest.mark.parametrize(
    ("unit", "newest", "ports", "kind", "told"),
    [
        ({}, 99, [11332], "", ""),
        ({}, 100, [11332], "stale", "/etc/rspamd/x"),
        (
            {"active": "failed", "result": "exit-code"},
            99,
            [],
            "not-running",
            "exit-code",
        ),
        ({"active": "inactive"}, 99, [], "not-running", "journalctl -u rspamd"),
        ({"enabled": "disabled"}, 99, [11332], "not-enabled", "disabled"),
        ({"enabled": "masked"}, 99, [11332], "not-enabled", "masked"),
        ({}, 99, [25], "port-closed", "11332"),
        (
            {"load": "not-found", "active": "inactive"},
            99,
            [],
            "not-installed",
            "rspamd",
        ),
    ],
)
def test_service(unit, newest, ports, kind, told):
    have = {
        facts.unit("rspamd"): UNIT | unit,
        facts.newest("/etc/rspamd"): {"path": "/etc/rspamd/x", "time": newest},
        facts.listening(): [["127.0.0.1", p, "rspamd"] for p in ports],
    }
    gap = SERVICE.gap(have)
    assert gap.kind == kind and told in gap


def test_a_service_is_reloaded_where_that_is_enough_and_started_where_it_is_not():
    service = Service("dovecot", reload=True)
    running = {facts.unit("dovecot"): UNIT}
    stopped = {facts.unit("dovecot"): UNIT | {"active": "inactive"}}
    assert [a.verb for a in service.fix(running)] == ["reload"]
    assert [a.verb for a in service.fix(stopped)] == ["restart"]


def test_a_unit_is_read_again_where_its_files_are_newer():
    thing = UnitRead("rspamd")
    told = {facts.unit("rspamd"): UNIT}
    assert not thing.gap(told)
    told = {facts.unit("rspamd"): UNIT | {"read": False}}
    assert thing.gap(told).kind == "not-done"
    assert [a.by_hand() for a in thing.fix(told)] == ["systemctl daemon-reload"]
    told = {facts.unit("rspamd"): {"error": "no answer within 10 s"}}
    assert isinstance(thing.gap(told), Unsure)


def test_packages_install_only_what_is_missing():
    thing = Packages("postfix", "swaks", preseed=["postfix q string x"])
    have = {facts.package("postfix"): "3.7.11", facts.package("swaks"): ""}
    gap = thing.gap(have)
    assert gap.kind == "not-installed" and "swaks" in gap and "postfix" not in gap
    seed, install = thing.fix(have)
    assert seed.stdin == "postfix q string x\n"
    assert install.command.endswith("install swaks")


def test_directory_link_absent_user():
    none = {"kind": "none"}
    have = {facts.file("/a"): none, facts.file("/b"): RIGHT, facts.user("vmail"): {}}
    assert Directory("/a").gap(have).kind == "missing"
    assert Directory("/b").gap(have).kind == "wrong-type"
    assert Link("/a", "/x").gap(have).kind == "missing"
    assert Link("/b", "/x").gap(have).kind == "wrong-type"
    elsewhere = {facts.file("/a"): {"kind": "link", "to": "/y"}}
    assert Link("/a", "/x").gap(elsewhere).kind == "elsewhere"
    assert Link("/a", "/y").gap(elsewhere) == ""
    assert Absent("/a", "why").gap(have) == ""
    assert Absent("/b", "why").gap(have).kind == "unwanted"
    assert Absent("/b", "why").fix(have) == [Remove("/b")]
    assert User("vmail", 5000, "/var/vmail").gap(have).kind == "missing"


def test_a_user_with_another_number_is_named():
    have = {facts.user("vmail"): {"uid": 1001, "gid": 5000, "home": "/var/vmail"}}
    gap = User("vmail", 5000, "/var/vmail").gap(have)
    assert gap.kind == "differs" and "1001" in gap and "/var/vmail" not in gap


def test_secret_is_made_once_and_again_when_its_source_changed():
    thing = ServerSecret("hash", source="pw", derive="rspamadm pw")
    fact = facts.secret("hash")
    assert thing.gap({fact: {"made": True, "source_same": True}}) == ""
    assert thing.gap({fact: {"made": False, "source_same": True}}).kind == "missing"
    assert thing.gap({fact: {"made": True, "source_same": False}}).kind == "stale"
    assert isinstance(thing.fix({})[0], MakeSecret)


def test_a_command_that_could_not_be_asked_has_no_code_and_says_why():
    ran = Ran.of({"error": "late"})
    assert (ran.rc, ran.out, ran.err, ran.why, ran.ok) == (None, "", "late", "late", False)  # fmt: skip
    assert Ran.of({"rc": 0, "out": "a\nb\n", "err": ""}).lines == ["a", "b"]
    failed = Ran.of({"rc": 1, "out": "", "err": "no"})
    assert not failed.ok and not failed.why


def test_check_shows_what_was_said():
    thing = Check("the sky is blue", "look up", answer="^blue$", do="Wait for summer.")
    fact = facts.run("look up")
    assert thing.gap({fact: {"rc": 0, "out": "blue\n", "err": ""}}) == ""
    gap = thing.gap({fact: {"rc": 0, "out": "grey\n", "err": ""}})
    assert gap.kind == "not-so" and "grey" in gap and gap.endswith(thing.do)
    assert isinstance(thing.gap({fact: {"error": "late"}}), Unsure)
    tempfail = {"rc": 75, "out": "", "err": "later"}
    assert isinstance(thing.gap({fact: tempfail}), Unsure)


def test_what_is_done_once_is_asked_for_and_not_done_again():
    thing = Once("the lamp is lit", "light it", "is it lit")
    fact = facts.run("is it lit")
    assert thing.gap({fact: {"rc": 0, "out": "", "err": ""}}) == ""
    assert thing.gap({fact: {"rc": 1, "out": "", "err": ""}}).kind == "not-done"
    assert isinstance(thing.gap({fact: {"error": "late"}}), Unsure)
    assert thing.fix({}) == [Run("light it")]


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ({"ok": True, "seen": "250"}, "", ""),
        ({"ok": False, "seen": "250 Ok"}, "not-seen", "250 Ok"),
        ({"ok": None, "seen": "no route"}, "unsure", "no route"),
        ({"error": "OSError"}, "unsure", "OSError"),
    ],
)
def test_proof(answer, kind, told):
    fact = facts.proof("relay_refused")
    gap = Proof("nobody relays", fact).gap({fact: answer})
    assert gap.kind == kind and told in gap
    assert isinstance(gap, Unsure) == (kind == "unsure")


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
    assert thing.gap(have).kind == "differs"
    (run,) = thing.fix(have)
    assert "submission/inet/by_hand=1" in run.command
    assert thing.gap({facts.master(): {}}).kind == "missing"


TABLE = SqlTable(
    "db", "t", {"id": "int(11) NOT NULL"}, {"name": "UNIQUE KEY `n` (`n`)"}
)
CREATED = (
    "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  UNIQUE KEY `n` (`n`)\n"
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
)


@pytest.mark.parametrize(
    ("text", "kind", "told", "sql"),
    [
        (CREATED, "", "", ""),
        (
            CREATED.replace("int(11)", "bigint(20)"),
            "differs",
            "column id",
            "MODIFY COLUMN `id` int(11)",
        ),
        (
            CREATED.replace("  UNIQUE KEY `n` (`n`)\n", ""),
            "differs",
            "key name",
            "ADD UNIQUE KEY",
        ),
        (CREATED.replace("mb4", ""), "differs", "utf8mb4", "CONVERT TO"),
    ],
)
def test_table(text, kind, told, sql):
    have = {TABLE.facts()[0]: {"rows": [["t", text]]}}
    gap = TABLE.gap(have)
    assert gap.kind == kind and told in gap
    if kind:
        assert sql in TABLE.fix(have)[0].stdin


def test_a_missing_table_is_created():
    have = {TABLE.facts()[0]: {"error": "Table 'db.t' doesn't exist"}}
    assert TABLE.gap(have).kind == "no-answer"
    assert TABLE.fix(have)[0].stdin.startswith("CREATE TABLE db.t")


@pytest.mark.parametrize(
    ("grants", "password", "kind", "told"),
    [
        (
            [
                "GRANT USAGE ON *.* TO `m`@`h` IDENTIFIED BY PASSWORD '*X'",
                "GRANT SELECT ON `db`.* TO `m`@`h`",
            ],
            [["m"]],
            "",
            "",
        ),
        (["GRANT USAGE ON *.* TO `m`@`h`"], [["m"]], "wrong-permissions", "SELECT"),
        (
            ["GRANT SELECT ON `db`.* TO `m`@`h`", "GRANT DELETE ON `x`.* TO `m`@`h`"],
            [["m"]],
            "wrong-permissions",
            "DELETE",
        ),
        (
            ["GRANT ALL PRIVILEGES ON *.* TO `m`@`h`"],
            [["m"]],
            "wrong-permissions",
            "ALL PRIVILEGES",
        ),
        (["GRANT SELECT ON `db`.* TO `m`@`h`"], [], "wrong-password", "m "),
    ],
)
def test_sql_user(grants, password, kind, told):
    user = SqlUser("m", "h", "secret", ("SELECT ON `db`.*",))
    asked = list(user.facts())
    have = {asked[0]: {"rows": [[g] for g in grants]}, asked[1]: {"rows": password}}
    gap = user.gap(have)
    assert gap.kind == kind and told in gap
    assert marker("secret") in user.fix(have)[0].stdin


def test_sql_values_cannot_break_out():
    evil = "x'; DROP TABLE virtual_users; --"
    assert "DROP" not in literal(evil)
    assert "'" not in literal(evil)
    have = {MailDomain(evil).facts()[0]: {"rows": []}}
    assert "DROP" not in MailDomain(evil).fix(have)[0].stdin


def test_a_database_is_there_and_speaks_all_of_unicode():
    thing = Database("d")
    (fact,) = thing.facts()
    assert thing.gap({fact: {"rows": [["utf8mb4"]]}}) == ""
    assert thing.gap({fact: {"rows": []}}).kind == "missing"
    assert thing.gap({fact: {"rows": [["latin1"]]}}).kind == "differs"
    assert thing.gap({fact: {"error": "off"}}).kind == "no-answer"


def test_actions_travel_as_plain_data_and_hide_typed_passwords():
    run = Run("mariadb", stdin="x", hashes={"new": "hunter2!"})
    assert as_message(run)["do"] == "run"
    assert "hunter2" not in repr(run)
    assert "hunter2" not in run.by_hand()
    assert as_message(Start("ssh"))["with"]["verb"] == "restart"
