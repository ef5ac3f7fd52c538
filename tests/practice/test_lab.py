"""A practice server of its own: bare, with its internet, kept, and started again."""

from __future__ import annotations

import subprocess

import dns.message
import dns.query
import dns.rcode
import dns.reversename
import dns.tsigkeyring
import dns.update
import pytest

from ispguide import lab
from ispguide.engine import profile
from ispguide.lab import practice, world
from ispguide.lab.place import Place


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISPGUIDE_HOME", str(tmp_path_factory.mktemp("lab")))
        yield lab.up()
        for name in lab.checkpoints():
            lab.forget(name)
        lab.down()


def ssh(script):
    """Run a script over SSH as a learner would, accepting the pinned key only."""
    seat = lab.status().as_dict()["seats"][0]["ssh"]
    options = ["BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=5"]
    options.append(f"UserKnownHostsFile={seat['known_hosts']}")
    words = [word for option in options for word in ("-o", option)]
    target = f"{seat['user']}@{seat['host']}"
    return subprocess.run(
        ["ssh", "-i", seat["key"], *words, target, script],
        capture_output=True,
        text=True,
    )


def ask(name, kind):
    """What the practice resolver answers to a question from this computer."""
    address, port = lab.status().as_dict()["resolver"]
    query = dns.message.make_query(name, kind)
    reply = dns.query.udp(query, address, port=port, timeout=5)
    return {item.to_text() for rows in reply.answer for item in rows}


def test_a_bare_server_answers_as_a_rented_one_would(running):
    done = ssh("hostname -f; systemctl is-system-running; dpkg -l postfix | wc -l")
    assert done.stdout.split()[:2] == ["mail.example.test", "running"], done
    assert "postfix" not in ssh("dpkg --get-selections").stdout
    assert ssh("mountpoint -q /etc/hosts || mountpoint -q /etc/hostname").returncode


def test_its_files_can_be_replaced_as_a_whole(running):
    for name in ("hostname", "hosts", "resolv.conf"):
        done = ssh(f"cp /etc/{name} /etc/x && mv /etc/x /etc/{name}")
        assert done.returncode == 0, done.stderr


def test_packages_come_through_the_practice_resolver_and_from_the_image(running):
    assert ssh("apt-get -q update").returncode == 0
    done = ssh("apt-get -q -y --no-install-recommends --no-download install openssl")
    assert done.returncode == 0, done.stdout + done.stderr


def test_forward_and_reverse_agree(running):
    address = running.as_dict()["seats"][0]["address"]
    assert ask("example.test", "MX") == {"10 mail.example.test."}
    assert ask("mail.example.test", "A") == {address}
    name = dns.reversename.from_address(address)
    assert ask(name, "PTR") == {"mail.example.test."}
    assert ask("mail.friend.test", "A") != ask("mail.spammer.test", "A")


def test_the_authority_shows_what_the_server_trusts(running):
    script = "import ssl, urllib.request as u, sys; print(u.urlopen(sys.argv[1], "
    script += "context=ssl.create_default_context(cafile=sys.argv[2])).status)"
    url, ca = world.acme_url(), "/etc/ssl/practice-acme-ca.pem"
    done = ssh(f"python3 -c '{script}' {url} {ca}")
    assert done.stdout.strip() == "200", done.stderr


def test_the_zone_changes_with_the_key_alone_and_reset_undoes_it(running):
    where = Place(profile.home())
    keys = dns.tsigkeyring.from_text({"practice": ("hmac-sha256", where.tsig)})
    for ring, code in ((None, dns.rcode.REFUSED), (keys, dns.rcode.NOERROR)):
        change = dns.update.UpdateMessage("example.test", keyring=ring)
        change.add("www", 60, "A", "192.0.2.1")
        answer = dns.query.udp(change, running.as_dict()["resolver"][0], timeout=5)
        assert answer.rcode() == code
    assert ask("www.example.test", "A") == {"192.0.2.1"}
    before = where.known_hosts.read_text()
    lab.reset()
    assert ask("www.example.test", "A") == set()
    assert where.known_hosts.read_text() != before
    assert ssh("true").returncode == 0


@pytest.mark.thorough
def test_a_checkpoint_gives_the_same_server_again(running):
    ssh("echo kept > /root/kept")
    lab.save("one")
    key = Place(profile.home()).known_hosts.read_text()
    lab.reset()
    assert ssh("cat /root/kept").returncode
    lab.load("one")
    assert ssh("cat /root/kept").stdout == "kept\n"
    assert Place(profile.home()).known_hosts.read_text() == key
    assert lab.checkpoints() == ["one"]


def test_up_starts_what_has_stopped(running):
    ssh("echo here > /root/here")
    lab.mail_run(["systemctl", "poweroff"])
    lab.internet_run(["systemctl", "poweroff"])
    here = practice.current()
    for box in (here.mail, here.internet):
        world.wait_for("The end", lambda box=box: box.state() == "exited")
    assert lab.up().running
    assert ssh("cat /root/here").stdout == "here\n"
    assert ask("mail.example.test", "A")
