"""The fences on a real server: bans at every door, rules that heal, limits that hold."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ispguide import lab, tasks
from ispguide.engine.guide import Guide
from ispguide.engine.settings import Settings
from ispguide.lab import practice, spammer
from ispguide.mail import firewall
from ispguide.outside import trial

from ..building import Built
from .conftest import bad, settled, shell

#: Door → its jail, and from which address it is tried.  All at the same time.
DOORS = {
    "ssh": ("sshd", "listed", False),
    "imaps": ("dovecot", "nameless", False),
    "pop3s": ("dovecot", "listed", True),
    "submission": ("postfix-sasl", "nameless", True),
    "submissions": ("postfix-sasl", "hired", True),
}
WRONG = "certainly-wrong"
RULES = "nft list table inet ispguide"


@pytest.fixture(scope="module")
def guide(built: Built) -> Iterator[Guide]:
    with (g := tasks.open_guide()).server:
        settled(g)
        yield g
    shell("fail2ban-client unban --all")


def banned() -> set[tuple[str, str]]:
    return {(b.jail, b.who) for b in tasks.bans_list(tasks.HERE)}


def decided(guide: Guide, step: str, settings: Settings) -> None:
    """As a reader does it: other settings, then the step."""
    tasks.save_settings(tasks.HERE, settings)
    with tasks.open_guide().server as server:
        guide.server.profile = server.profile
    guide.settings = settings
    report = guide.apply(step)
    assert report.ok, bad(report.as_dict())


def until(what, seconds: float = 15) -> None:
    """Return once `what` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.2)


# --- who guesses -------------------------------------------------------------


def test_every_door_shuts_out_who_guesses_and_lets_in_again(guide, cli):
    def tried(door: str) -> spammer.BruteForced:
        _, via, six = DOORS[door]
        return spammer.brute_force(door, guide.settings.ban_tries, via, six)

    with ThreadPoolExecutor(len(DOORS)) as pool:
        seen = dict(zip(DOORS, pool.map(tried, DOORS), strict=True))
    assert all(s.shut for s in seen.values()), (
        seen,
        shell("journalctl -u fail2ban -q -o cat --since=-2min"),
    )
    wanted = {(DOORS[door][0], s.address) for door, s in seen.items()}
    assert wanted <= banned()
    now = tasks.measure_bans(tasks.HERE)
    assert len(now.of("Found")) >= 5 * guide.settings.ban_tries
    for door, said in seen.items():
        done = cli("bans", "lift", said.address)
        assert done.returncode == 0, done.stderr
        assert not spammer.brute_force(door, 0, *DOORS[door][1:]).shut
    assert not wanted & banned()
    assert cli("bans", "lift", "192.0.2.1").returncode == 1


@pytest.mark.thorough
def test_a_ban_ends_by_itself_and_is_longer_the_next_time(guide):
    shell(
        "fail2ban-client set dovecot bantime 3; fail2ban-client set dovecot maxretry 2"
    )
    try:
        spans = []
        for _ in range(2):
            seen = spammer.brute_force("imaps", 2, "hired")
            assert seen.shut
            (line,) = shell(
                "fail2ban-client get dovecot banip --with-time"
            ).splitlines()
            spans.append(int(line.partition("+")[2].partition("=")[0]))
            until(lambda: not spammer.brute_force("imaps", 0, "hired").shut, 20)
        assert spans[0] >= 3 and spans[1] > spans[0]
    finally:
        tries = guide.settings.ban_tries
        shell(
            f"fail2ban-client set dovecot maxretry {tries}; systemctl restart fail2ban"
        )
        until(lambda: "dovecot" in shell("fail2ban-client status 2>&1 || true"))
        settled(guide)


def test_a_guess_counts_though_its_sshd_was_gone_at_once(guide):
    """Then the journal knows who wrote only by the user; root is believed, others not."""
    root, other = "203.0.113.77", "203.0.113.78"
    lines = f"for _ in $(seq {guide.settings.ban_tries}); do logger -t sshd 'Invalid user x from {{}} port 4242'; done"
    shell(f'runuser -u nobody -- sh -c "{lines.format(other)}"; {lines.format(root)}')
    until(lambda: ("sshd", root) in banned())
    assert other not in {who for _, who in banned()}
    shell("fail2ban-client unban --all")


def wrong_login(seat: dict, tls) -> None:
    with contextlib.suppress(imaplib.IMAP4.error):
        imaplib.IMAP4_SSL(seat["address"], 993, ssl_context=tls).login("anna", WRONG)


def test_our_own_address_is_never_shut_out(guide, seat, tls):
    tries, begin = guide.settings.ban_tries + 2, int(time.time())
    with ThreadPoolExecutor(tries) as pool:
        list(pool.map(lambda _: wrong_login(seat, tls), range(tries)))
    own = guide.server._open().transport.sock.getsockname()[0]
    count = f"journalctl -u dovecot -q --since=@{begin} | grep -c 'auth failed.*rip={own}' || true"
    until(lambda: int(shell(count)) >= tries)  # the server saw them, and from here
    log = f"journalctl -u fail2ban -q -o cat --since=@{begin}"
    until(lambda: f"Ignore {own}" in shell(log))
    assert own not in {who for _, who in banned()}
    assert imaplib.IMAP4_SSL(seat["address"], 993, ssl_context=tls).noop()[0] == "OK"


# --- the firewall ------------------------------------------------------------


@contextlib.contextmanager
def program_behind(port: int) -> Iterator[None]:
    code = (
        "import socket, time; s = socket.create_server(('', PORT), "
        "family=socket.AF_INET6, dualstack_ipv6=True); time.sleep(60)"
    )
    unit = f"test-door-{port}"
    shell(
        f'systemd-run -q --collect -u {unit} python3 -c "{code}"'.replace(
            "PORT", str(port)
        )
    )
    until(lambda: f":{port} " in shell("ss -Hltn"))
    try:
        yield
    finally:
        shell(f"systemctl stop {unit}")


def reaches(port: int, address: str) -> bool:
    try:
        socket.create_connection((address, port), 3).close()
    except OSError:
        return False
    return True


def test_only_listed_doors_are_there_by_both_kinds_of_address(guide, seat):
    six = practice.current().network().ip6(10)
    with program_behind(8080):
        for address in (seat["address"], six):
            assert reaches(993, address) and not reaches(8080, address), address
    # Who has forgotten the hardware address asks for it, by ICMPv6.
    flushed = lab.internet_run(["ip", "-6", "neigh", "flush", "to", six])
    assert (
        flushed.returncode == 0 and not spammer.brute_force("imaps", 0, six=True).shut
    )


def test_a_door_more_and_tables_of_others_stay(guide, seat):
    shell("nft add table inet mine; nft add chain inet mine hands")
    before = guide.settings
    try:
        decided(guide, "brute_force.firewall", replace(before, more_ports="8080"))
        with program_behind(8080):
            assert reaches(8080, seat["address"])
    finally:
        decided(guide, "brute_force.firewall", before)
    assert "chain hands" in shell(
        "nft list table inet mine; nft delete table inet mine"
    )
    assert "8080" not in shell(RULES)


def test_rules_that_shut_ssh_take_themselves_back(guide, monkeypatch):
    """Its own SSH is on another port, so it says; nobody gets in until they are gone."""
    before, was = shell(RULES), shell(f"cat {firewall.RULES}")
    quick = firewall.TRY.replace(f"--on-active={firewall.SECONDS}", "--on-active=6")
    monkeypatch.setattr(firewall, "TRY", quick)
    monkeypatch.setattr(firewall, "of_ssh", lambda *_: [2222])
    heard = []
    report = guide.apply("brute_force.firewall", watch=heard.append)
    monkeypatch.undo()
    (failed,) = report.only("failed")
    assert failed.gap == trial.LOCKED_OUT
    assert {trial.TRIED, trial.SHUT} <= set(heard)
    assert shell(RULES) == before and shell(f"cat {firewall.RULES}") == was
    assert guide.check().ok


@pytest.mark.thorough
def test_undone_there_is_no_firewall_and_a_restart_keeps_it(guide, cli):
    done = cli("undo", "brute_force.firewall")
    assert done.returncode == 0, done.stderr
    assert "inet ispguide" not in shell("nft list tables")
    assert guide.apply("brute_force.firewall").ok
    guide.server.close()
    box = practice.current().mail
    box.stop()
    box.start()
    box.booted()
    assert "policy drop" in shell(RULES)
    guide.server.close()
    settled(guide)


# --- limits ------------------------------------------------------------------


@pytest.fixture
def writers(guide, cli) -> Iterator[tuple[str, str]]:
    """Two people; the first one's password is known to somebody else."""
    names = ("stolen@example.test", "quiet@example.test")
    for name in names:
        done = cli("people", "add", name, "--password-stdin", stdin="right-one-here\n")
        assert done.returncode == 0, done.stderr
    yield names
    for name in names:
        assert cli("people", "remove", name).returncode == 0
    shell("rm -rf /var/vmail/example.test/stolen /var/vmail/example.test/quiet")


def sent(seat: dict, tls, who: str, to: list[str]) -> int:
    """The answer at the end of a letter."""
    text = f"From: {who}\r\nTo: {to[0]}\r\nSubject: hello\r\n\r\nHello.\r\n"
    with smtplib.SMTP_SSL(seat["address"], 465, context=tls) as smtp:
        smtp.login(who, "right-one-here")
        try:
            smtp.sendmail(who, to, text)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code
    return 250


def alerts() -> int:
    return int(
        shell(
            "journalctl -u 'postfix@*' -q |"
            " grep -c 'from=<postmaster@example.test>.*queue active' || true"
        )
    )


def test_a_stolen_password_is_slowed_and_told_once(guide, writers, seat, tls):
    stolen, quiet = writers
    before, told = guide.settings, alerts()
    few = replace(before, mails_per_hour=4, mails_per_day=50)
    try:
        decided(guide, "brute_force.limits", few)
        assert sent(seat, tls, stolen, [quiet, stolen]) == 250
        assert sent(seat, tls, stolen, [quiet, stolen]) == 250
        # Nor does the name of some postmaster on the envelope help.
        for _ in range(3):
            assert sent(seat, tls, stolen, [quiet, "postmaster@example.test"]) == 451
        assert sent(seat, tls, quiet, [stolen]) == 250
        until(lambda: alerts() == told + 1)
        assert ("ispguide-limits", stolen) in banned()
    finally:
        decided(guide, "brute_force.limits", before)
        shell("fail2ban-client unban --all")
    assert sent(seat, tls, stolen, [quiet]) == 250
    assert alerts() == told + 1
