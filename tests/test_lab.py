"""The practice server: its pure parts as tables; a real one is in practice/test_lab.py."""

from __future__ import annotations

import io
import tarfile
from email.message import EmailMessage
from ipaddress import ip_network
from pathlib import Path
from string import Template

import pytest
from click.testing import CliRunner

from ispguide import lab
from ispguide.cli import cli
from ispguide.lab import LabProblem, filling, friend, image, network, practice, spammer
from ispguide.lab.engine import (
    Quirks,
    containers_conf,
    has_unified_cgroups,
    may_raise_limits,
)
from ispguide.lab.filling import Status
from ispguide.lab.image import Source
from ispguide.lab.network import Network, candidates
from ispguide.lab.place import Place

# --- quirks of the engine


@pytest.mark.parametrize(
    "mounts, unified",
    [
        ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", True),
        ("cgroup /sys/fs/cgroup tmpfs rw 0 0", False),
        (
            "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
            "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
            False,
        ),
        ("", False),
    ],
)
def test_hybrid_cgroups_are_told_from_unified(mounts, unified):
    assert has_unified_cgroups(mounts) is unified


@pytest.mark.parametrize(
    "bounding, may", [("000001ffffffffff", True), ("000001fffeffffff", False)]
)
def test_lowered_limits_are_read_from_the_bounding_set(bounding, may):
    assert may_raise_limits(f"Name:\tx\nCapEff:\t0\nCapBnd:\t{bounding}\n") is may


def test_an_ordinary_computer_needs_no_settings_of_its_own():
    assert containers_conf(Quirks()) == ""


def test_lowered_limits_are_never_raised():
    conf = containers_conf(Quirks(limits={"nofile": 1024, "nproc": -1}))
    assert '"nofile=1024:1024", "nproc=16384:16384"' in conf
    assert "engine" not in conf


def test_hybrid_cgroups_need_runc():
    conf = containers_conf(Quirks(unified=False))
    assert 'runtime = "runc"' in conf
    assert 'cgroup_manager = "cgroupfs"' in conf
    assert "runc" not in containers_conf(Quirks(systemd=False))


# --- networks


def test_every_place_is_in_the_ranges_that_look_public():
    for number in (0, 255, 256, network.PLACES - 1):
        net = Network(number)
        assert net.v4.subnet_of(ip_network("198.18.0.0/15"))
        assert net.v6.subnet_of(ip_network("2001:db8::/32"))
        assert net.ip4(10).endswith(".10") and net.ip6(10).endswith("::10")


def test_places_do_not_overlap():
    nets = [Network(n) for n in range(network.PLACES)]
    assert len({n.v4 for n in nets}) == len({n.v6 for n in nets}) == len(nets)
    assert len({n.mac(10) for n in nets}) == len(nets)


def test_a_lab_keeps_its_place_and_steps_aside_when_it_is_taken():
    first = next(candidates("x", True, []))
    assert next(candidates("x", True, [])) == first
    beside = next(candidates("x", True, [str(first.v4)]))
    assert beside != first
    assert next(candidates("x", True, [str(first.v6)])) == beside


def test_a_route_to_the_whole_range_leaves_no_place():
    assert not list(candidates("x", True, ["198.18.0.0/15"]))


def test_a_resolver_on_loopback_is_of_no_use_to_a_container():
    loop = "nameserver 127.0.0.53\noptions edns0\n"
    assert network.resolvers(loop) == []
    assert network.resolvers(loop, "nameserver 192.0.2.53\n") == ["192.0.2.53"]
    assert network.resolvers("# none\nnameserver 2001:db8::53") == ["2001:db8::53"]


# --- apt sources

MIRROR = "http://mirror.example/debian"
KEY = f"[signed-by={image.KEYRING}]"


def test_old_and_new_form_say_the_same():
    old = f"# x\ndeb [arch=amd64] {MIRROR} bookworm main contrib # y\ndeb-src a b c"
    new = f"""
# a comment
Types: deb deb-src
URIs: {MIRROR}
Suites: bookworm
Components: main
 contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
    line = f"deb {KEY} {MIRROR} bookworm main\n"
    assert image.sources_list(image.one_line(old)) == line
    assert image.sources_list(image.deb822(new)) == line


def test_several_suites_and_a_disabled_paragraph():
    text = f"""Types: deb
URIs: {MIRROR}/
Suites: bookworm bookworm-updates
Components: main

Types: deb
Enabled: no
URIs: http://other.example/debian
Suites: bookworm
Components: main
"""
    assert image.sources_list(image.deb822(text)).splitlines() == [
        f"deb {KEY} {MIRROR} bookworm main",
        f"deb {KEY} {MIRROR} bookworm-updates main",
    ]


@pytest.mark.parametrize(
    "source",
    [
        Source("https://apt.example/node", "nodistro", ("main",)),
        Source("https://apt.example/linux/debian", "bookworm", ("stable",)),
        Source("https://apt.example/php", "bookworm", ("main",)),
        Source("https://apt.example/debian", "bookworm", ("main",), "/x/other.gpg"),
        Source(MIRROR, "bookworm-pgdg", ("main",)),
        Source("http://mirror.example/ubuntu", "jammy", ("main",)),
    ],
)
def test_third_parties_stay_outside(source):
    assert not source.is_debian()


def test_a_newer_host_gives_its_mirror_but_not_its_suite():
    found = Source(
        "http://mirror.example/debian-security", "trixie-security", ("main",)
    )
    assert found.is_debian()
    assert found.line().endswith("debian-security bookworm-security main")


def test_only_what_reaching_the_sources_needs_is_inherited():
    dump = """Acquire "";
Acquire::http::Proxy "http://proxy.example:3142";
Acquire::https::Proxy "http://localhost:3142";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "true";
APT::Install-Recommends "1";
"""
    assert image.apt_settings(dump) == (
        'Acquire::http::Proxy "http://proxy.example:3142";\n'
        'Acquire::Check-Valid-Until "false";\n'
    )


def test_no_mirror_is_written_down():
    for path in Path(image.HERE).rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            assert "debian.org" not in path.read_text(), path


# --- files and state


def test_two_homes_are_two_labs(tmp_path):
    one, two = Place(tmp_path / "one"), Place(tmp_path / "two")
    assert one.lab != two.lab
    assert one.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("six", [True, False])
def test_every_file_can_be_filled_in(tmp_path, six):
    words = filling.values(Place(tmp_path), Network(300, six))
    files = filling.filled("internet", words) | filling.filled("mail", words)
    zone = files["etc/bind/practice/example.test.zone"].decode()
    assert "mail IN A 198.19.44.10" in zone
    assert ("mail IN AAAA 2001:db8:12c::10" in zone) is six
    assert b"44.19.198.in-addr.arpa" in files["etc/bind/named.conf"]
    assert b"c.2.1.0.8.b.d.0.1.0.0.2.ip6.arpa" in files["etc/bind/named.conf"]


def test_templates_name_only_what_is_known(tmp_path):
    words = filling.values(Place(tmp_path), Network(0))
    used = set()
    for path in filter(Path.is_file, filling.FILES.rglob("*")):
        used |= set(Template(path.read_text()).get_identifiers())
    assert used <= set(words)


def test_keys_are_for_root_alone():
    blob = filling.tar({"root/.ssh/authorized_keys": b"key", "etc/hosts": b"x"})
    with tarfile.open(fileobj=io.BytesIO(blob)) as archive:
        modes = {entry.name: entry.mode for entry in archive}
    assert modes["root/.ssh"] == 0o700
    assert modes["etc/hosts"] == modes["root/.ssh/authorized_keys"] == 0o644


def test_an_archive_ends_where_its_reader_stops():
    blob = filling.tar({"etc/hosts": b"x"})
    assert (
        len(blob) == 4 * tarfile.BLOCKSIZE
    )  # its head, what it holds, and two of zeros
    assert blob.endswith(bytes(2 * tarfile.BLOCKSIZE))


def test_status_says_what_the_contract_says(tmp_path):
    found = Status(True, Place(tmp_path), Network(0)).as_dict()
    assert found["resolver"] == ["198.18.0.2", 53]
    (seat,) = found["seats"]
    assert seat["hostname"] == "mail.example.test"
    assert seat["ssh"]["host"] == seat["address"] == "198.18.0.10"
    assert seat["ports"]["25"] == ["198.18.0.10", 25]
    assert Status(False, Place(tmp_path), None).as_dict()["seats"] == []


@pytest.mark.parametrize(
    "dialogue, code, text, taken",
    [
        ("<-  220 x\n<-  250 2.1.0 Ok\n<-  354 go\n<-  250 2.0.0 queued\n<-  221 Bye", 250, "2.0.0 queued", True),
        ("<-  250 Ok\n<** 550 5.7.25 no name\n<-  221 Bye", 550, "5.7.25 no name", False),
        ("<~  250-PIPELINING\n<** 451 4.7.1 later", 451, "4.7.1 later", False),
        ("*** Error connecting to x:25:\n", 0, "*** Error connecting to x:25:", False),
    ],
)  # fmt: skip
def test_the_answer_that_decided(dialogue, code, text, taken):
    said = spammer.said(dialogue)
    assert (said.code, said.text, said.taken) == (code, text, taken)


def test_only_the_own_verdict_of_friend_test_counts():
    message = EmailMessage()
    message["Authentication-Results"] = "mail.spammer.test; spf=pass; dkim=pass"
    message["Authentication-Results"] = "mail.friend.test; spf=fail (x; dkim=pass) y=z"
    message["Authentication-Results"] = "mail.friend.test; dmarc=fail (p=none)"
    assert friend.Message(message).verdict == {"spf": "fail", "dmarc": "fail"}


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "ä", "a:b"])
def test_a_bad_name_for_a_checkpoint_is_refused(name):
    with pytest.raises(LabProblem, match="cannot name a checkpoint"):
        practice.load(name)


# --- a real one; where no engine runs, these fail and say so


@pytest.mark.parametrize(
    "act",
    [
        lambda: lab.friend.inbox(),
        lambda: lab.friend.send("anna@example.test", "x"),
        lambda: lab.spammer.gtube("anna@example.test"),
        lambda: lab.provider.block("192.0.2.1"),
        lambda: lab.provider.open_port_25(),
    ],
)
def test_where_there_is_no_internet_nobody_acts(tmp_path, monkeypatch, act):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    with pytest.raises(LabProblem, match="internet is not running"):
        act()


@pytest.mark.parametrize(
    "address", ["", "x", "../x", "198.18.0.1/24", "mail.friend.test"]
)
def test_only_an_address_can_be_listed(address):
    with pytest.raises(LabProblem, match="is no address"):
        lab.provider.block(address)


def test_what_was_called_guess_still_is_for_one_version():
    (old, new) = (
        CliRunner().invoke(cli, ["lab", "internet", word, "nothing"])
        for word in ("guess", "brute-force")
    )
    assert old.output.replace("guess", "brute-force") == new.output
    assert "It is one of ssh" in new.output.replace("\n", " ")
