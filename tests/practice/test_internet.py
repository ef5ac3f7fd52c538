"""The practice internet against the built mail server: a strict provider's verdicts,
forgers, a block list and its outage, DNSSEC, relaying, and an authority that forgot."""

from __future__ import annotations

import smtplib
import ssl
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import formatdate, make_msgid
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from ispguide import lab
from ispguide.lab import practice, world
from ispguide.lab.filling import HIRED, NAMELESS, SPAMMER

from .conftest import proved, shell
from .test_dns import DOMAIN, ask, change
from .test_main_job import imap, submit, wait_for

ANNA, PASSWORD = "anna@example.test", "a long one for Anna"
BEN, NOBODY = "ben@friend.test", "nobody@friend.test"
POLICY = "_dmarc." + DOMAIN


BOTH = (
    pytest.param(False, id="IPv4"),
    pytest.param(True, id="IPv6", marks=pytest.mark.thorough),
)


@pytest.fixture(scope="module", autouse=True)
def anna(built, cli):
    """The built server with Anna on it."""
    done = cli("people", "add", ANNA, "--password-stdin", stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    return ANNA


@pytest.fixture(scope="module")
def net():
    return lab.status().net


@pytest.fixture
def writes(seat, tls):
    """Anna writes to somebody; the word by which her letter is known again."""

    def message(to=BEN):
        mark = uuid.uuid4().hex
        text = f"From: {ANNA}\r\nTo: {to}\r\nSubject: {mark}\r\n\r\nTea on Sunday?\r\n"
        submit(seat, tls, 587, ANNA, PASSWORD, text, to)
        return mark

    return message


@pytest.fixture
def reads(seat, tls):
    """What lies in Anna's mailbox with this word in it, waited for."""

    def message(mark):
        try:
            return wait_for(imap(seat, tls, ANNA, PASSWORD), mark)
        except AssertionError as error:
            log = "journalctl -u rspamd -u postfix@- -n 60 -o cat --no-pager"
            raise AssertionError(shell(log)) from error

    return message


@contextmanager
def instead(name, kind, *values):
    """These records for a while, then those that were there."""
    before = ask(name, kind)
    change(name, kind, *values)
    try:
        yield
    finally:
        change(name, kind, *before)


def pointer(address):
    import dns.reversename

    return dns.reversename.from_address(address).to_text()


# --- our letters at a strict provider


@pytest.mark.parametrize("six", BOTH)
def test_our_letter_is_taken_and_judged(writes, net, six):
    family = "ipv6" if six else "ipv4"
    shell(f"postconf -e smtp_address_preference={family} && postfix reload")
    try:
        message = lab.friend.message(writes())
    finally:
        shell("postconf -X smtp_address_preference && postfix reload")
    assert message.to == BEN
    came = str(message.content.get_all("Received")[0])
    assert (f"IPv6:{net.ip6(10)}" if six else net.ip4(10)) in came
    assert {"spf": "pass", "dmarc": "pass"}.items() <= message.verdict.items()
    assert "dkim" in message.verdict


def test_letters_that_come_together_are_all_judged(writes):
    """OpenDKIM ends where two meet in it, so friend.test takes one after the other."""
    with ThreadPoolExecutor(6) as pool:
        marks = list(pool.map(lambda _: writes(), range(6)))
    assert all("dkim" in lab.friend.message(mark).verdict for mark in marks)


def test_a_verdict_brought_along_counts_for_nothing(writes):
    forged = "mail.friend.test; spf=pass; dkim=pass; dmarc=pass"
    mark = uuid.uuid4().hex
    script = (
        "import smtplib,sys; s=smtplib.SMTP(sys.argv[1],25,'mail.spammer.test',"
        "source_address=(sys.argv[2],0));"
        "s.sendmail('a@spammer.test','ben@friend.test',sys.stdin.read())"
    )
    text = f"Authentication-Results: {forged}\r\nFrom: x@elsewhere.test\r\nSubject: {mark}\r\n\r\nx\r\n"
    where = lab.status().net
    argv = ["python3", "-c", script, where.ip4(20), where.ip4(HIRED)]
    lab.internet_run(argv, text.encode())
    message = lab.friend.message(mark)
    assert forged not in str(message)
    assert message.verdict["spf"] != "pass" and message.verdict["dkim"] == "none"


def test_who_does_not_live_there_is_refused_and_anna_is_told(writes, reads):
    told = " ".join(reads(writes(NOBODY)).split())
    assert "550 5.1.1" in told and "There is nobody of this name" in told


def test_without_our_reverse_name_anna_is_told_why(writes, reads, net):
    with (
        instead(pointer(net.ip4(10)), "PTR"),
        instead(pointer(net.ip6(10)), "PTR"),
    ):
        mark = writes()
        assert "cannot find your reverse hostname" in reads(mark)
    assert not lab.friend.inbox(mark)


#: What the reverse name of an address of the spammer's says → the refusal.
REVERSE = {
    "none": ([], "cannot find your reverse hostname"),
    "leads to another address": (["mail.spammer.test."], "cannot find your hostname"),
    "leads nowhere": (["nowhere.spammer.test."], "cannot find your hostname"),
}


@pytest.mark.parametrize("what", REVERSE)
def test_a_reverse_name_that_does_not_fit_is_refused(net, what):
    names, words = REVERSE[what]
    with instead(pointer(net.ip4(NAMELESS)), "PTR", *names):
        said = lab.spammer.forge(BEN, via="nameless")
    assert said.code == 550 and words in said.text, said.dialogue


def test_another_name_in_helo_is_refused(net):
    argv = ["swaks", "--server", net.ip4(20), "--local-interface", net.ip4(HIRED)]
    argv += ["--helo", "mail.elsewhere.test", "--from", "a@spammer.test", "--to", BEN]
    said = lab.spammer.said(lab.internet_run(argv).stdout.decode())
    assert said.code // 100 == 5 and "mail.elsewhere.test" in said.text, said.dialogue


# --- forgers


@pytest.mark.parametrize("six", BOTH)
def test_forged_mail_in_our_name_is_judged_and_refused_when_we_ask_for_it(six, writes):
    mark = uuid.uuid4().hex
    assert "p=none" in str(ask(POLICY, "TXT"))
    assert lab.spammer.forge(BEN, ANNA, subject=mark, six=six).taken
    verdict = lab.friend.message(mark).verdict
    assert verdict == {"spf": "fail", "dkim": "none", "dmarc": "fail"}
    with instead(POLICY, "TXT", '"v=DMARC1; p=reject"'):
        said = lab.spammer.forge(BEN, ANNA, six=six)
        words = "rejected by DMARC policy for example.test"
        assert said.code == 550 and words in said.text, said.dialogue
        assert lab.friend.message(writes()).verdict["dmarc"] == "pass"
    assert lab.spammer.forge(BEN, ANNA, six=six).taken


def test_a_listed_sender_is_refused_there(net):
    said = lab.spammer.junk(BEN)
    assert said.code == 554 and "blocklist.test" in said.text, said.dialogue


# --- their letters to us


def test_a_letter_of_friend_test_arrives_signed(reads):
    mark = uuid.uuid4().hex
    lab.friend.send(ANNA, mark)
    text = reads(mark)
    assert "DKIM-Signature:" in text and "d=friend.test" in text
    assert "R_DKIM_ALLOW" in text and "R_SPF_ALLOW" in text, text


def test_ben_answers_and_anna_reads_it(writes, reads):
    message = lab.friend.message(writes())
    lab.friend.send(ANNA, f"Re: {message.subject}", "With pleasure, Anna.\n")
    assert "With pleasure, Anna." in reads(message.subject)


def test_gtube_is_refused_here():
    said = lab.spammer.gtube(ANNA)
    assert said.code == 554, said.dialogue


# --- signed zones


def public(name, kind="A", *, distrust=True):
    """The answer of the public resolver; with `distrust` it checks signatures."""
    query = dns.message.make_query(name, kind, want_dnssec=True)
    if not distrust:
        query.flags |= dns.flags.CD
    return dns.query.udp(query, lab.status().as_dict()["public_resolver"][0], 5)


def test_signed_zones_are_seen_to_be_proved(net):
    for name, kind in (
        ("mail.example.test", "A"),
        (DOMAIN, "MX"),
        ("mail.friend.test", "AAAA"),
        ("nobody.example.test", "A"),
        (pointer(net.ip4(10)), "PTR"),
        (pointer(net.ip6(10)), "PTR"),
    ):
        answer = public(name, kind)
        assert answer.flags & dns.flags.AD, (name, answer)
        assert (answer.rcode() == dns.rcode.NOERROR) is not name.startswith("nobody")
    plain = public("mail.spammer.test")
    assert plain.answer and not plain.flags & dns.flags.AD


def parent_says(edit, there):
    """Edit the zone of the parent; return when it is signed and nobody remembers."""
    live = "/var/lib/bind/test.zone"
    (soa,) = ask("test.", "SOA")
    newer = (
        f"sed -i -E 's/(hostmaster\\S+) [0-9]+/\\1 {int(soa.split()[2]) + 1}/' {live}"
    )
    script = f"{edit} {live} && {newer} && rndc reload test IN world"
    done = lab.internet_run(["sh", "-c", script])
    assert done.returncode == 0, done.stderr
    world.wait_for("The parent", lambda: bool(ask("third.test", "DS")) is there)
    assert lab.internet_run(["rndc", "flush", "public"]).returncode == 0


def test_a_broken_signature_is_no_answer():
    """The parent says that third.test is signed, with a key nobody has."""
    record = "third IN DS 12345 13 2 " + "ab" * 32
    parent_says(f"echo '{record}' | tee -a", there=True)
    try:
        assert public("third.test", "SOA").rcode() == dns.rcode.SERVFAIL
        assert public("third.test", "SOA", distrust=False).answer
    finally:
        parent_says("sed -i /12345/d", there=False)
    assert public("third.test", "SOA").answer


# --- the block list


def listed(address, server=""):
    """What the list says of an address: {"127.0.0.2"}, or nothing."""
    name = ".".join(reversed(address.split("."))) + ".blocklist.test"
    if ":" in address:
        name = pointer(address).replace("ip6.arpa.", "blocklist.test")
    query = dns.message.make_query(name, "A")
    found = dns.query.udp(query, server or lab.status().as_dict()["resolver"][0], 5)
    return {row.to_text() for rows in found.answer for row in rows}


def on_no_list():
    """State of the proof of chapter 2."""
    (row,) = proved("the address is on no DNS block list")
    return row.state


def test_the_list_answers_as_large_ones_do(net):
    for address in ("127.0.0.2", net.ip4(SPAMMER), net.ip6(SPAMMER)):
        assert listed(address) == {"127.0.0.2"}, address
    for address in ("127.0.0.1", net.ip4(10), net.ip6(10), net.ip4(HIRED)):
        assert listed(address) == set(), address
    public_resolver = lab.status().as_dict()["public_resolver"][0]
    for address in ("127.0.0.2", net.ip4(10)):
        assert listed(address, public_resolver) == {"127.255.255.254"}


def test_our_address_is_listed_and_delisted(cli, net, writes):
    own = net.ip4(10)
    assert on_no_list() == "ok"
    assert cli("lab", "internet", "enlist", own).returncode == 0
    try:
        world.wait_for("The entry", lambda: listed(own) == {"127.0.0.2"})
        assert on_no_list() == "failed"
    finally:
        assert cli("lab", "internet", "delist", own).returncode == 0
    world.wait_for("The removal", lambda: not listed(own))
    assert on_no_list() == "ok"
    assert lab.friend.message(writes())


def test_an_outage_of_the_list_stops_nothing(cli, writes):
    assert cli("lab", "internet", "blocklist", "down").returncode == 0
    try:
        # The server's own resolver remembers an answer for a few seconds.
        world.wait_for("The outage", lambda: on_no_list() == "unknown")
        assert lab.friend.message(writes())
    finally:
        assert cli("lab", "internet", "blocklist", "back").returncode == 0
    world.wait_for("The list", lambda: listed("127.0.0.2"))
    assert on_no_list() == "ok"


# --- relaying


@contextmanager
def submission():
    """Port 587 of friend.test, greeted; its name is proved when TLS begins."""
    friend = lab.status().as_dict()["friend"]
    with smtplib.SMTP(friend["address"], 587, "laptop", timeout=30) as line:
        vars(line)["_host"] = friend["hostname"]
        line.ehlo()
        yield line, friend


def encrypted(line, friend):
    line.starttls(context=ssl.create_default_context(cafile=friend["ca_file"]))
    line.ehlo()


def complete(sender, subject):
    """A letter with all that belongs to one; without it, rspamd says: come again."""
    date, name = formatdate(), make_msgid(domain="spammer.test")
    head = f"From: {sender}\r\nTo: {ANNA}\r\nSubject: {subject}\r\n"
    return f"{head}Date: {date}\r\nMessage-ID: {name}\r\n\r\nPassed on.\r\n"


def test_who_has_a_login_may_relay(reads):
    mark = uuid.uuid4().hex
    with submission() as (line, friend):
        encrypted(line, friend)
        password = Path(friend["relay_password_file"]).read_text()
        line.login(friend["relay_user"], password)
        line.sendmail("x@spammer.test", [ANNA], complete("x@spammer.test", mark))
        assert line.mail(BEN)[0] == 250
        assert line.rcpt("ben@elsewhere.test")[0] // 100 == 5, "in another's name"
    assert "Authenticated sender: relay@friend.test" in reads(mark)


def test_nobody_else_may_relay():
    with submission() as (line, friend):
        assert not line.has_extn("auth"), "no password without TLS"
        assert line.mail("x@elsewhere.test")[0] == 530
        encrypted(line, friend)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            line.login(friend["relay_user"], "wrong")
        line.mail("x@elsewhere.test")
        code, said = line.rcpt(ANNA)
        assert code // 100 == 5, said
    with smtplib.SMTP(friend["address"], 25, "laptop", timeout=30) as line:
        line.ehlo("laptop")
        line.mail("x@elsewhere.test")
        assert line.rcpt(ANNA)[0] // 100 == 5


def test_a_provider_closes_port_25_and_leaves_587(cli):
    knock = "import socket; print(socket.create_connection(('mail.friend.test', {}), 2).recv(3))"

    def opens(port):
        return lab.mail_run(["python3", "-c", knock.format(port)]).returncode == 0

    assert cli("lab", "internet", "port25", "closed").returncode == 0
    try:
        assert not opens(25) and opens(587)
    finally:
        assert cli("lab", "internet", "port25", "open").returncode == 0
    assert opens(25)
    assert cli("lab", "internet", "port25", "open").returncode == 0, "open already"


# --- the commands


def test_the_commands_say_what_happened(cli):
    mark = uuid.uuid4().hex
    done = cli("lab", "internet", "write", ANNA, "--subject", mark)
    assert done.returncode == 0 and "@friend.test>" in done.stdout, done.stderr
    done = cli("lab", "internet", "forge", BEN, "--via", "nameless")
    assert done.stdout.startswith("Refused: 550 "), done
    done = cli("lab", "internet", "gtube", ANNA)
    assert done.stdout.startswith("Refused: 554 "), done
    assert lab.spammer.forge(BEN, ANNA, subject=mark).taken
    lab.friend.message(mark)
    done = cli("lab", "internet", "inbox", mark)
    assert f"→ {BEN}: {mark}\n" in done.stdout and "dmarc=fail" in done.stdout
    done = cli("lab", "internet", "inbox", 'a "quoted" ü {7}')
    assert (done.returncode, done.stdout) == (0, ""), done
    done = cli("lab", "internet", "write", "anna@-example.test")
    assert done.returncode == 1 and "did not take the letter" in done.stderr, done


# --- an authority that forgot


@pytest.mark.thorough
def test_the_certificate_is_renewed_after_the_internet_began_anew(cli, seat):
    kept = "openssl x509 -noout -serial -in /etc/letsencrypt/live/mail.example.test/cert.pem"
    before = shell(kept)
    lab.internet_run(["systemctl", "poweroff"])
    box = practice.current().internet
    world.wait_for("The end", lambda: box.state() == "exited")
    said = []
    assert lab.up(said.append).running
    assert not [line for line in said if "does not know" in line]
    shell(
        "env REQUESTS_CA_BUNDLE=/etc/ssl/practice-acme-ca.pem certbot renew -q "
        "--force-renewal --no-random-sleep-on-renew"
    )
    assert shell(kept) != before
    context = ssl.create_default_context(cafile=lab.status().as_dict()["ca_file"])
    with smtplib.SMTP(seat["address"], 25, "laptop", timeout=30) as line:
        vars(line)["_host"] = seat["hostname"]
        line.starttls(context=context)
        shown = ssl.DER_cert_to_PEM_cert(line.sock.getpeercert(binary_form=True))
    done = lab.mail_run(["openssl", "x509", "-noout", "-serial"], shown.encode())
    assert done.stdout.decode() == shell(kept)
