"""The server's own resolver and its block list: who is listed stays outside, and
silence of the list changes nothing."""

from __future__ import annotations

import pytest

from ispguide import lab
from ispguide.lab import world
from ispguide.lab.filling import BLOCKLIST, HIRED

from .conftest import proved, shell
from .test_internet import listed

ANNA = "anna@example.test"
ANSWERS = "blocklist.test answers the server's own resolver"
LISTED = "blocklist.test lists none of this server's addresses"
SIGNED = "the server's own resolver checks signatures (DNSSEC)"


@pytest.fixture(scope="module", autouse=True)
def anna(built, cli):
    assert cli("people", "add", ANNA).returncode == 0


@pytest.fixture(scope="module")
def net():
    return lab.status().net


def states() -> dict[str, tuple[str, str]]:
    """The proofs about the resolver: name → (state, what is told)."""
    return {f.thing: (f.state, f.gap) for f in proved(ANSWERS, LISTED, SIGNED)}


def forgotten() -> None:
    """Nobody on the server remembers an answer."""
    # systemd starts nothing six times in ten seconds, unless it is told to forget, too.
    shell("systemctl reset-failed unbound; systemctl restart unbound")


def message(via: str, six: bool = False):
    """An ordinary letter from one of the spammer's addresses."""
    return lab.spammer.forge(ANNA, "a@spammer.test", via=via, six=six)


@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
def test_a_listed_sender_is_refused_and_told_by_whom(six):
    said = message("listed", six)
    assert said.code == 554 and "block list blocklist.test" in said.text, said.dialogue


def test_a_sender_who_is_not_listed_is_heard():
    assert message("hired").code != 554


def test_who_came_off_the_list_is_heard_again(cli, net):
    own = net.ip4(HIRED)
    assert cli("lab", "internet", "enlist", own).returncode == 0
    try:
        world.wait_for("The entry", lambda: listed(own) == {"127.0.0.2"})
        forgotten()
        assert message("hired").code == 554
    finally:
        assert cli("lab", "internet", "delist", own).returncode == 0
    world.wait_for("The removal", lambda: not listed(own))
    forgotten()
    assert message("hired").code != 554


@pytest.mark.thorough
def test_an_outage_changes_nothing(cli):
    """The list is silent: nobody is refused for it, and nobody is called well."""
    assert cli("lab", "internet", "blocklist", "down").returncode == 0
    try:
        forgotten()
        said = message("listed")
        assert "block list" not in said.text, said.dialogue
        told = states()
        assert told[ANSWERS][0] == told[LISTED][0] == "unknown"
        assert told[SIGNED][0] == "ok"
        assert cli.json("check")["ok"]
    finally:
        assert cli("lab", "internet", "blocklist", "back").returncode == 0
    world.wait_for("The list", lambda: listed("127.0.0.2"))
    forgotten()
    assert {states()[name][0] for name in (ANSWERS, LISTED)} == {"ok"}


def test_our_own_listed_address_is_named(cli, net):
    own = net.ip4(10)
    assert cli("lab", "internet", "enlist", own).returncode == 0
    try:
        world.wait_for("The entry", lambda: listed(own) == {"127.0.0.2"})
        forgotten()
        state, told = states()[LISTED]
        assert state == "failed" and own in told
    finally:
        assert cli("lab", "internet", "delist", own).returncode == 0


def test_a_list_that_refuses_us_lists_nobody(net):
    """The resolver is sent through a public one: 127.255.255.254 is no hit."""
    public = lab.status().as_dict()["public_resolver"][0]
    path, own = "/etc/unbound/unbound.conf.d/practice.conf", net.ip4(BLOCKLIST)
    shell(f"cp {path} /root/; sed -i 's/{own}/{public}/' {path}")
    forgotten()
    try:
        told = states()
        assert told[ANSWERS][0] == "unknown"
        assert "refuses this resolver" in told[ANSWERS][1]
        assert told[LISTED][0] == "unknown"
        for via in ("listed", "hired"):
            assert "block list" not in message(via).text
    finally:
        shell(f"mv /root/practice.conf {path}")
        forgotten()


def test_a_stopped_resolver_is_named_and_healed(cli):
    shell("systemctl stop unbound")
    report = cli.json("check", "dns")
    (gap,) = [f for f in report["findings"] if f["state"] == "gap"]
    assert (gap["step"], gap["kind"]) == ("own_resolver", "not-running")
    assert cli.json("apply", "dns.own_resolver")["ok"]
    assert states()[SIGNED][0] == "ok"


def test_it_answers_this_machine_alone():
    """An open resolver is a tool for attackers."""
    heard = shell("ss -Hlun '( sport = :53 )' | awk '{print $4}'").split()
    assert sorted(heard) == ["127.0.0.1:53", "[::1]:53"]
