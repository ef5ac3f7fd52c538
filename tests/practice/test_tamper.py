"""Every thing, tampered with: check names it, its own step alone heals it.

How a kind of thing is broken is written once; the cases are all things of the guide.
"""

from __future__ import annotations

import re
import shlex

import pytest

from ispguide import lab, tasks
from ispguide.chapters import GUIDE
from ispguide.mail import MailDomain, MasterService, Postconf
from ispguide.sql import Database, SqlTable, SqlUser
from ispguide.things import (
    Absent,
    Directory,
    File,
    Link,
    Packages,
    ServerSecret,
    Service,
    User,
)

from ..fake import SETTINGS
from .conftest import bad, settled, shell


def _edit(f):
    path = shlex.quote(f.path)
    return {
        "edited": f"echo '# by hand' >> {path}",
        "deleted": f"rm {path}",
        "mode": f"chmod 0666 {path}",
    }


def _service(v):
    ways = {"stopped": f"systemctl stop {v.unit}"}
    if not v.unit.endswith(".timer"):
        ways["disabled"] = f"systemctl disable -q {v.unit}"
    return ways


def _postconf(p):
    first = p.values[0][0]
    return {
        "removed": f"postconf -X {first}; touch -d '10 seconds ago' /etc/postfix/main.cf",
        "other value": f"postconf -e {first}=wrong-by-hand; touch -d '10 seconds ago' /etc/postfix/main.cf",
    }


def _sql(query):
    return f"mariadb -e {shlex.quote(query)}"


WAYS = {
    File: _edit,
    Directory: lambda d: {"mode": f"chmod 0700 {d.path}; chmod o+t {d.path}"},
    Link: lambda v: {"deleted": f"rm {v.path}"},
    Absent: lambda a: {"there again": f"mkdir -p $(dirname {a.path}); touch {a.path}"},
    Service: _service,
    Postconf: _postconf,
    MasterService: lambda m: {
        "removed": f"postconf -MX {m.name}",
        "option": f"postconf -P {m.name}/{next(iter(m.options))}=wrong"
        if m.options
        else "false",
    },
    MailDomain: lambda d: {
        "row lost": _sql(
            f"DELETE FROM mailserver.virtual_domains WHERE name='{d.name}'"
        )
    },
    SqlTable: lambda t: {
        "column changed": _sql(
            f"ALTER TABLE {t.database}.{t.name} MODIFY COLUMN {_last_column(t)} varchar(17)"
        )
    },
    SqlUser: lambda u: {
        "grant lost": _sql(f"REVOKE SELECT ON mailserver.* FROM '{u.name}'@'{u.host}'"),
        "password changed": _sql(
            f"ALTER USER '{u.name}'@'{u.host}' IDENTIFIED BY 'other'"
        ),
        "user dropped": _sql(f"DROP USER '{u.name}'@'{u.host}'"),
    },
    Database: lambda d: {
        "charset": _sql(f"ALTER DATABASE {d.name} CHARACTER SET latin1")
    },
    User: lambda u: {
        "home": f"usermod -d /nowhere {u.name} 2>/dev/null || sed -i 's#:{u.home}:#:/nowhere:#' /etc/passwd"
    },
    # Named and healed together with all that holds it: a test of its own, below.
    ServerSecret: lambda s: {},
}
#: Removing all packages takes the server away; one leaf package stands for them.
WAYS[Packages] = lambda p: {
    "removed": f"dpkg --force-depends --remove {p.names[-1]} >/dev/null 2>&1"
}


def _last_column(t):
    return [n for n in t.columns if n not in ("id", "domain_id")][-1]


def _cases():
    for chapter in GUIDE:
        for step in chapter.steps:
            for thing in step.things(SETTINGS):
                ways = WAYS.get(type(thing))
                for way, script in (ways(thing) if ways else {}).items():
                    yield pytest.param(
                        str(step), str(thing), script, id=f"{step}-{thing}-{way}"[:120]
                    )


@pytest.mark.parametrize(("step", "thing", "script"), list(_cases()))
def test_tampering_is_named_and_healed(built, guide, step, thing, script):
    try:
        tamper_and_heal(guide, step, thing, script)
    except BaseException:
        # The next case must not pay for this one.
        guide.server.close()
        lab.load("built")
        settled(guide)
        raise


def tamper_and_heal(guide, step, thing, script):
    shell(script)
    gaps = {f.thing: f for f in guide.check() if f.state == "gap"}
    assert thing in gaps, f"not named; named: {list(gaps)}"
    assert re.search(r"[.:\n]", gaps[thing].gap)
    repaired = guide.apply(step)
    assert repaired.ok, bad(repaired.as_dict())
    left = [f for f in guide.check() if f.state == "gap"]
    assert not left, bad(guide.check().as_dict())


@pytest.fixture(scope="module")
def guide(built):
    with (g := tasks.open_guide()).server:
        yield g


def test_every_kind_of_thing_has_a_way_to_break(built):
    from ispguide.things import Check, Once

    kinds = {type(t) for c in GUIDE for s in c.steps for t in s.things(SETTINGS)}
    assert kinds - set(WAYS) <= {Check, Once}


@pytest.mark.parametrize("name", ["mailserver", "mailadmin"])
def test_a_lost_password_is_made_anew_everywhere(built, guide, name):
    """The old value is no longer known as one, so it must not be shown in a diff."""
    path = "/etc/ispguide/secrets.json"
    read = f"import json; p='{path}'; d=json.load(open(p));"
    old = shell(f"python3 -c \"{read} print(d['{name}']['value'])\"").strip()
    shell(f"python3 -c \"{read} del d['{name}']; json.dump(d, open(p, 'w'))\"")
    report = guide.check()
    assert f"secret {name}" in [f.thing for f in report.only("gap")]
    assert old not in report.text()
    assert guide.apply().ok
    assert guide.check().ok
    assert old != shell(f"python3 -c \"{read} print(d['{name}']['value'])\"").strip()
