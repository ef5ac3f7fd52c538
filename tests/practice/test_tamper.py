"""Every thing, tampered with: check names it, its own step alone heals it.

How a kind of thing is broken is written once; the cases are all things of the guide.
"""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.engine.things import (
    Absent,
    Directory,
    File,
    Link,
    NoSecret,
    Packages,
    ServerSecret,
    Service,
    UnitRead,
    User,
)
from ispguide.mail.backup.things import STATE, LastBackup
from ispguide.mail.dkim.records import DkimRecords
from ispguide.mail.dkim.things import DkimKeys, DkimSigners
from ispguide.mail.dmarc.things import DmarcPolicy, ReportsMailbox
from ispguide.mail.dns.others import OtherDomains
from ispguide.mail.dns.thing import DnsRecord
from ispguide.mail.firewall import Firewall
from ispguide.mail.mariadb import Database, SqlTable, SqlUser
from ispguide.mail.people.things import Duties, NewMailboxLimit
from ispguide.mail.postfix import MailDomain, MasterService, Postconf
from ispguide.mail.sni import MAP, NameCertificates, NamesFile, SniMap
from ispguide.mail.tlsa import TlsaRecord

from .. import fake
from ..building import done_at
from .conftest import back_to_built, bad, shell

#: With an authority, as the practice server has one: only then there is a policy.
SETTINGS = replace(
    fake.SETTINGS, tls="acme-url", acme_url="https://acme.example-ca.test:14000/dir"
)


def _edit(f):
    path = shlex.quote(f.path)
    edited = {"edited": f"echo '# by hand' >> {path}; chmod 0666 {path}"}
    if f.path.endswith(".service"):
        # Not in one turn with its service's: without its file, it is not disabled.
        edited["left alone"] = ""
    return {**edited, "deleted": f"rm {path}"}


def _service(v):
    # 5: its package was taken away in the same go.
    ways = {"stopped": f"systemctl stop {v.unit} || [ $? = 5 ]"}
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


def _kept(name):
    """A password is in the server's keeping as if somebody had typed it once."""
    entry = {"value": "typed-once-by-somebody", "source": "", "source_name": ""}
    code = (
        "import json, pathlib; p = pathlib.Path('/etc/ispguide/secrets.json'); "
        f"d = json.loads(p.read_text()); d['{name}'] = {entry}; p.write_text(json.dumps(d))"
    )
    return f"python3 -c {shlex.quote(code)}"


WAYS = {
    File: _edit,
    Directory: lambda d: {"mode": f"chmod 0700 {d.path}; chmod o+t {d.path}"},
    Link: lambda v: {"deleted": f"rm {v.path}"},
    Absent: lambda a: {"there again": f"mkdir -p $(dirname {a.path}); touch {a.path}"},
    Service: _service,
    UnitRead: lambda u: {
        "not read": f"touch $(systemctl show {u.unit} -p DropInPaths --value)"
    },
    Postconf: _postconf,
    MasterService: lambda m: {
        "removed": f"postconf -MX {m.name}",
        "option": f"postconf -P {m.name}/{next(iter(m.options))}=wrong"
        if m.options
        else "false",
    },
    # Its mailboxes go with it, the one for reports too: a test of its own, below.
    MailDomain: lambda d: {},
    SqlTable: lambda t: {
        "column changed": _sql(
            f"ALTER TABLE {t.database}.{t.name} MODIFY COLUMN {_last_column(t)} varchar(17)"
        )
    },
    SqlUser: lambda u: {
        "grant lost": _sql(
            f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{u.name}'@'{u.host}'"
        ),
        "password changed": _sql(
            f"ALTER USER '{u.name}'@'{u.host}' IDENTIFIED BY 'other'"
        ),
        "user dropped": _sql(f"DROP USER '{u.name}'@'{u.host}'"),
    },
    NewMailboxLimit: lambda n: {
        "no limit": _sql(
            "ALTER TABLE mailserver.virtual_users ALTER COLUMN quota SET DEFAULT 0"
        )
    },
    Database: lambda d: {
        "charset": _sql(f"ALTER DATABASE {d.name} CHARACTER SET latin1")
    },
    User: lambda u: {
        "home": f"usermod -d /nowhere {u.name} 2>/dev/null || sed -i 's#:{u.home}:#:/nowhere:#' /etc/passwd"
    },
    DkimKeys: lambda k: {
        "unreadable": "chown root:root /var/lib/rspamd/dkim/*.key",
        "open to all": "chmod 0644 /var/lib/rspamd/dkim/*.key",
    },
    DkimRecords: lambda r: {},  # broken at the name server, in test_dkim.py
    DkimSigners: lambda k: {"list emptied": "echo > /etc/rspamd/dkim_selectors.map"},
    DmarcPolicy: lambda p: {},
    ReportsMailbox: lambda m: {
        "removed": _sql(
            f"DELETE FROM mailserver.virtual_users WHERE email='{m.address}'"
        )
    },
    # Named and healed together with all that holds it: a test of its own, below.
    ServerSecret: lambda s: {},
    NoSecret: lambda s: {"kept": _kept(s.name)},
    Duties: lambda d: {},  # nobody lives on this server; broken in test_people.py
    OtherDomains: lambda d: {},  # broken in their zones, in test_domains.py
    LastBackup: lambda b: {
        "none yet": f"rm {STATE}",
        "failed": f"""sed -i 's/"ok": true/"ok": false/' {STATE}""",
    },
    Firewall: lambda f: {
        "all rules flushed": "nft flush ruleset",
        "edited": _edit(f)["edited"],
        "not at boot": "systemctl disable -q ispguide-firewall",
    },
    # In the zones, not on the server: test_dns.py breaks each record there.
    DnsRecord: lambda r: {},
    TlsaRecord: lambda r: {},
    NameCertificates: lambda c: {
        "lost": f"rm /etc/letsencrypt/live/{c.sni_names.prefix}.{SETTINGS.domain}/fullchain.pem"
    },
    NamesFile: _edit,
    SniMap: lambda m: {
        "other value": f"postconf -e '{MAP}=inline:{{{{ mail.x.test = /dev/null }}}}'; "
        "touch -d '10 seconds ago' /etc/postfix/main.cf"
    },
}
#: Removing all packages takes the server away; one leaf package stands for them.
WAYS[Packages] = lambda p: {
    "removed": f"dpkg --force-depends --remove {p.names[-1]} >/dev/null 2>&1"
}


def _last_column(t):
    return [n for n in t.columns if n not in ("id", "domain_id")][-1]


def _cases():
    """Of each step: the first way of each of its things, then the second ways, …"""
    for step in (step for chapter in GUIDE for step in chapter.steps):
        broken = [
            (str(thing), list(WAYS.get(type(thing), lambda t: {})(thing).items()))
            for thing in step.things(SETTINGS)
        ]
        for turn in range(max((len(ways) for _, ways in broken), default=0)):
            now = [(name, *w[turn]) for name, w in broken if w[turn:] and w[turn][1]]
            words = "+".join(dict.fromkeys(way for _, way, _ in now))
            scripts = {name: script for name, _, script in now}
            yield pytest.param(step, scripts, id=f"{step}-{words}")


#: Where these are broken, the rest of the chapter could not be asked; and what breaks a
#: service (`systemctl disable`) has systemd read all units again.
APART = (Database, Packages, SqlUser, UnitRead)


def at_once(chapters):
    """Of each chapter: one way for each of its things, all at once."""
    for chapter in chapters:
        scripts = {
            f"{step}: {thing}": script
            for step in chapter.steps
            for thing in step.things(SETTINGS)
            if (script := _one_way(thing))
        }
        if scripts:
            yield pytest.param(chapter.steps, scripts, id=chapter.name)


def _one_way(thing):
    """The first script that breaks it; "" where only a test by itself can."""
    scripts = [s for s in WAYS.get(type(thing), lambda t: {})(thing).values() if s]
    if isinstance(thing, APART) or not scripts:
        return ""
    return scripts[-1 if isinstance(thing, Service) else 0]


#: The chapters before are tampered with where the server is still built, in
#: test_tamper_early.py and test_tamper_later.py.
LATE = GUIDE[len(done_at("mostly")) :]


@pytest.mark.parametrize(("steps", "scripts"), list(at_once(LATE)))
def test_a_chapter_tampered_with_is_named_and_healed(
    built, guide, made_well, steps, scripts
):
    tried(guide, made_well, steps, scripts)


@pytest.mark.thorough
@pytest.mark.parametrize(("step", "scripts"), list(_cases()))
def test_tampering_is_named_and_healed(built, guide, made_well, step, scripts):
    tried(
        guide,
        made_well,
        [step],
        {f"{step}: {name}": script for name, script in scripts.items()},
    )


def tried(guide, made_well, steps, scripts):
    try:
        tamper_and_heal(guide, made_well, steps, scripts)
    except BaseException:
        # The next case must not pay for this one.
        guide.server.close()
        back_to_built()
        raise


def tamper_and_heal(guide, made_well, steps, scripts):
    """All at once: each must be named, and one run of its steps must heal them."""
    shell("\n".join(["set -e", *scripts.values()]))
    found = guide.check(*steps).only("gap")
    gaps = {f"{f.chapter}.{f.step}: {f.thing}": f for f in found}
    assert not set(scripts) - set(gaps), f"not named; named: {list(gaps)}"
    assert all(gaps[thing].gap and gaps[thing].kind for thing in scripts)
    made_well(guide, *steps)


@pytest.fixture(scope="module")
def guide(built):
    with (g := tasks.open_guide()).server:
        yield g
        healed(g)


def healed(guide):
    """Each step healed its own, and harmed no other."""
    left = guide.check()
    assert left.ok, bad(left.as_dict())


def test_every_kind_of_thing_has_a_way_to_break(built):
    from ispguide.engine.things import Check, Once

    kinds = {type(t) for c in GUIDE for s in c.steps for t in s.things(SETTINGS)}
    assert kinds - set(WAYS) <= {Check, Once}


@pytest.mark.parametrize(
    "name", ["mailserver", pytest.param("mailadmin", marks=pytest.mark.thorough)]
)
def test_a_lost_password_is_made_anew_everywhere(built, guide, made_well, name):
    """The old value is no longer known as one, so it must not be shown in a diff."""
    path = "/etc/ispguide/secrets.json"
    read = f"import json; p='{path}'; d=json.load(open(p));"
    old = shell(f"python3 -c \"{read} print(d['{name}']['value'])\"").strip()
    shell(f"python3 -c \"{read} del d['{name}']; json.dump(d, open(p, 'w'))\"")
    report = guide.check()
    assert f"secret {name}" in [f.thing for f in report.only("gap")]
    assert old not in report.text()
    made_well(guide)
    assert guide.check().ok
    assert old != shell(f"python3 -c \"{read} print(d['{name}']['value'])\"").strip()


def test_a_lost_domain_is_named_and_comes_back_with_its_mailbox_for_reports(
    built, guide
):
    shell(_sql("DELETE FROM mailserver.virtual_domains WHERE name='example.test'"))
    gaps = {f"{f.chapter}.{f.step}" for f in guide.check() if f.state == "gap"}
    assert {"database.first_domain", "dkim.reports"} <= gaps
    assert guide.apply("database.first_domain", "dkim.reports").ok
    report = guide.check()
    assert report.ok, bad(report.as_dict())
