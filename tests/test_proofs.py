"""The proofs against small real servers that say what they are told to say.

That each holds on a good server and fails on a broken one is seen on a practice
server (tests/practice); here are the register, the protocols and the ways out."""

from __future__ import annotations

import base64
import inspect
import socket
import ssl
import time

import pytest

from ispguide import proofs
from ispguide.engine import facts
from ispguide.engine.errors import ConnectionLost
from ispguide.engine.facts import proof
from ispguide.engine.settings import Secret
from ispguide.outside import talk as outside
from ispguide.outside.talk import NotReached
from ispguide.proofs import base, inbound, messages, protocols, spam
from ispguide.proofs import imap as reading
from ispguide.proofs import tls as doors
from ispguide.proofs.base import CannotTell, Context, Mailbox, Refused
from ispguide.proofs.protocols import Imap, Pop3, Reply, Smtp
from tests.test_outside import HERE, S, certificate, serve

__all__ = ["certificate", "serve"]  # fixtures

BOX = Mailbox("proof@example.test", Secret("pä'ss\"wort"), "alias@example.test")

NAMES = """zone_agrees reverse_route mail_route sender_policy
served_certificate http_redirect acme_path tls_floor inbound_delivered
plus_address unknown_refused relay_refused smuggling_refused vrfy_silent no_auth_on_25
plaintext_refused login_works wrong_password_refused reads_mail alias_delivers
catchall_respects_mailboxes full_refused full_behind_alias warned_in_time quota_told works_at_once
locked_takes_mail
sends needs_login forged_sender_refused alias_may_send
no_client_address gtube_refused headers_added forged_spam_header_ignored spam_to_junk
junk_teaches trash_teaches_nothing web_page_locked sieve_closed_outside
special_folders leaves_through_smarthost
comes_back tlsa_matches policy_fits sni_certificates
dkim_signed inbound_not_signed reports_taken authenticated_elsewhere forgery_judged
webmail_reads webmail_refuses webmail_sends webmail_filters webmail_headers webmail_hides
thunderbird_finds outlook_finds iphone_finds dns_finds asked_plainly tells_nobody
mails_only_changes limit_holds own_address_spared brute_force_banned
unlisted_port_closed watched_ports"""


def script(*pairs):
    """A server that greets with the first word, then answers what begins so.

    After 354 it hears a whole mail; "." is the answer to its end."""
    greeting, *rest = pairs

    def play(talk):
        talk.sendall(greeting.encode() + b"\r\n")
        with talk.makefile("rb") as words:
            in_mail = False
            for line in words:
                said = line.decode().rstrip()
                if in_mail and said != ".":
                    continue
                found = [a for q, a in rest if said.upper().startswith(q)]
                answer = found[0] if found else "250 ok"
                in_mail = answer.startswith("354")
                talk.sendall(answer.encode() + b"\r\n")

    return play


def context(ask=None, **more):
    known = ask or (lambda questions: dict.fromkeys(questions, []))
    return Context("127.0.0.1", S, BOX, known, **more)


def stranger_at(monkeypatch, port):
    """Port 25 of the server under test is `port` of this computer."""

    def come(self):
        smtp = Smtp(HERE, port, self.lines)
        smtp.ehlo()
        return smtp

    monkeypatch.setattr(Context, "inbound_smtp", come)


def test_every_proof_is_there_and_says_what_it_proves():
    assert set(proofs.PROOFS) == set(NAMES.split())
    for name, build in proofs.PROOFS.items():
        assert inspect.getdoc(build), name


def test_a_proof_that_stumbles_is_named(monkeypatch):
    monkeypatch.setitem(base.PROOFS, "clumsy", lambda ctx, word: 1 / 0)
    said = proofs.answer(proof("clumsy", "25"), context())
    assert "clumsy 25" in said["error"] and "ZeroDivisionError" in said["error"]
    assert "error" in proofs.answer(proof("no_such_proof"), context())
    assert "error" in proofs.answer(proof("tls_floor"), context())


@pytest.mark.parametrize(
    ("stop", "ok"),
    [(Refused("no"), False), (CannotTell("lack"), None), (ConnectionLost("x"), None),
     (NotReached(25, True, "the server hung up", OSError()), False)],
)  # fmt: skip
def test_ways_to_end_early(monkeypatch, stop, ok):
    def ends(ctx):
        raise stop

    monkeypatch.setitem(base.PROOFS, "ends", ends)
    said = proofs.answer(proof("ends"), context())
    assert said["ok"] is ok and said["seen"]


@pytest.mark.parametrize(
    ("rows", "ok"),
    [([["0.0.0.0", 25, "master"]], None), ([["127.0.0.1", 25, "master"]], False),
     ([["::1", "25", "master"]], False), ([], False), ([["*", 25, ""]], None)],
)  # fmt: skip
def test_not_reached_is_the_servers_fault_only_when_it_does_not_listen(rows, ok):
    def nobody(ctx):
        raise NotReached(25, False, "connection refused", ConnectionRefusedError())

    base.PROOFS["nobody"] = nobody
    try:
        have = context(lambda questions: {facts.listening(): rows})
        said = proofs.answer(proof("nobody"), have)
    finally:
        del base.PROOFS["nobody"]
    assert said["ok"] is ok and "25" in said["seen"]


def test_without_a_mailbox_the_proofs_that_need_one_cannot_tell():
    bare = Context("127.0.0.1", S, Mailbox("", Secret(""), ""), lambda q: {})
    for name in ("inbound_delivered", "alias_delivers", "gtube_refused"):
        said = proofs.answer(proof(name), bare)
        assert (said["ok"], "mailbox" in said["seen"]) == (None, True)


def test_a_server_that_cannot_be_asked_is_no_verdict():
    deaf = context(lambda questions: dict.fromkeys(questions, {"error": "too late"}))
    said = proofs.answer(proof("catchall_respects_mailboxes"), deaf)
    assert said["ok"] is None and "too late" in said["seen"]


def test_answers_runs_wrong_passwords_last_and_asks_the_server_one_at_a_time(
    monkeypatch,
):
    order, inside = [], []

    def ask(questions):
        inside.append(1)
        assert len(inside) == 1
        time.sleep(0.02)
        inside.pop()
        return dict.fromkeys(questions, {"rc": 0, "out": "", "err": ""})

    def does(ctx, word):
        ctx.tell("true")
        order.append(word)
        return True, word

    for name in ("wrong_password_refused", "other"):
        monkeypatch.setitem(base.PROOFS, name, does)
    wanted = [proof("wrong_password_refused", "late")]
    wanted += [proof("other", str(n)) for n in range(6)]
    found = proofs.answers([*wanted, wanted[0]], context(ask))
    assert order[-1] == "late" and len(order) == 7
    assert all(found[fact]["ok"] for fact in wanted)


@pytest.mark.parametrize("kind", [Smtp, Imap, Pop3])
def test_any_printable_password_can_log_in_and_none_is_shown(serve, kind):
    heard = []

    def play(talk):
        talk.sendall(b"* OK hello\r\n" if kind is Imap else b"220 hello\r\n")
        heard.append(talk.recv(999).decode())
        talk.sendall(b"a1 OK\r\n" if kind is Imap else b"235 +OK\r\n")

    with kind(HERE, serve(play)) as talk:
        assert talk.login(BOX.address, BOX.password).good
    plain = base64.b64decode(heard[0].split()[-1]).decode()
    assert plain == f"\0{BOX.address}\0{BOX.password.reveal()}"
    record = "\n".join(talk.lines)
    assert "•••" in record and heard[0].split()[-1] not in record


def test_smtp_reads_long_replies_and_stops_at_the_first_no(serve):
    port = serve(
        script("220 hi", ("EHLO", "250-one\r\n250 two"), ("RCPT", "550 5.1.1 no"))
    )
    with Smtp(HERE, port) as smtp:
        assert smtp.ehlo() == Reply("250 two", ("250-one",))
        assert smtp.deliver("a@b", "c@d", "never sent").code == 550
    assert not any("DATA" in line for line in smtp.lines)


def test_a_line_that_is_a_dot_does_not_end_the_mail(serve):
    heard = []

    def play(talk):
        for reply in (b"220 hi", b"250 ok", b"250 ok", b"354 go"):
            talk.sendall(reply + b"\r\n")
            if reply != b"354 go":
                talk.recv(999)
        while not b"".join(heard).endswith(b"\r\n.\r\n"):
            heard.append(talk.recv(999))
        talk.sendall(b"250 queued\r\n")

    with Smtp(HERE, serve(play)) as smtp:
        assert smtp.deliver("a@b", "c@d", "Subject: x\n\n.\n..two\n").good
    assert b"\r\n\r\n..\r\n...two\r\n" in b"".join(heard)


def test_imap_takes_raw_pieces_whole(serve):
    def play(talk):
        talk.sendall(b"* OK hello\r\n")
        talk.recv(999)
        talk.sendall(
            b"* 1 FETCH (BODY[] {15}\r\na1 OK\r\nfake\r\n\r\n)\r\na1 OK done\r\n"
        )

    with Imap(HERE, serve(play)) as imap:
        assert imap.fetch("1") == "a1 OK\nfake\n\n"


def test_imap_finds_by_subject(serve):
    def play(talk):
        talk.sendall(b"* OK hello\r\n")
        for answer in (b"a1 OK\r\n", b"* SEARCH 4 7\r\na2 OK\r\n", b"a3 NO none\r\n"):
            talk.recv(999)
            talk.sendall(answer)

    with Imap(HERE, serve(play)) as imap:
        assert imap.find("INBOX", "token") == ["4", "7"]
        assert imap.find("Nowhere", "token") == []


def test_pop3_reads_up_to_the_dot(serve):
    play = script("+OK hi", ("RETR", "+OK\r\nSubject: x\r\n\r\n..\r\nend\r\n."))
    with Pop3(HERE, serve(play)) as pop:
        assert pop.many("RETR 1").lines == ("Subject: x", "", ".", "end")


@pytest.mark.parametrize(
    ("name", "pairs", "ok"),
    [
        ("unknown_refused", [("RCPT", "550 5.1.1 unknown")], True),
        ("unknown_refused", [("RCPT", "250 ok")], False),
        ("unknown_refused", [("RCPT", "450 4.1.1 later")], False),
        ("relay_refused", [("RCPT", "554 5.7.1 denied")], True),
        ("relay_refused", [("RCPT", "454 4.7.1 denied")], False),
        ("relay_refused", [("RCPT", "250 ok")], False),
        ("relay_refused", [("RCPT", "421 4.7.0 go")], False),
        ("vrfy_silent", [("VRFY", "502 5.5.1 disabled")], True),
        ("vrfy_silent", [("VRFY PROOF", "252 x"), ("VRFY", "550 no")], False),
        ("gtube_refused", [("DATA", "354 go"), (".", "554 Gtube")], True),
        ("gtube_refused", [("DATA", "354 go")], False),
        ("gtube_refused", [("DATA", "554 5.5.1 no")], True),
        ("inbound_delivered", [("DATA", "451 4.7.1 later")], False),
    ],
)
def test_verdicts_at_port_25(serve, monkeypatch, name, pairs, ok):
    stranger_at(monkeypatch, serve(script("220 hi", *pairs)))
    said = proofs.answer(proof(name), context())
    assert said["ok"] is ok, said
    assert said["transcript"]


def test_the_ways_to_relay_are_many():
    ways = inbound.relays(context(), "198.18.0.1")
    assert len(ways) >= 8 == len({r for _, r in ways}) + 1
    assert ("", messages.FOREIGN) in ways
    assert any(sender.endswith("@" + S.domain) for sender, _ in ways)
    assert any("[198.18.0.1]" in recipient for _, recipient in ways)


@pytest.mark.parametrize(
    ("replies", "count"),
    [(["250 2.0.0 Ok: queued as A", "221 bye"], 1),
     (["250 Ok: queued as A", "250 ok", "250 ok", "354 go", "250 Ok: queued as B",
       "221 bye"], 2),
     (["550 5.5.2 bare <LF> received", "221 bye"], 0), (["521 bye"], 0)],
)  # fmt: skip
def test_a_smuggled_mail_is_counted(serve, monkeypatch, replies, count):
    def play(talk):
        talk.sendall(b"220 hi\r\n")
        for reply in ("250 ok", "250 ok", "250 ok", "354 go"):
            talk.recv(999)
            talk.sendall(reply.encode() + b"\r\n")
        while b"QUIT" not in talk.recv(9999):
            pass
        talk.sendall("".join(f"{reply}\r\n" for reply in replies).encode())

    stranger_at(monkeypatch, serve(play))
    assert inbound._smuggle(context(), "\n.\n", "mark") == count


@pytest.mark.filterwarnings("ignore:.*TLSv1 is deprecated")
def test_no_old_tls_where_the_server_has_none(serve, certificate, monkeypatch):
    def play(talk, oldest=ssl.TLSVersion.TLSv1_2):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.set_ciphers("ALL:@SECLEVEL=0")
        server.minimum_version = oldest
        server.load_cert_chain(certificate[0])
        server.wrap_socket(talk, server_side=True).recv(9)

    new, old = serve(play), serve(lambda talk: play(talk, ssl.TLSVersion.TLSv1))
    monkeypatch.setattr(outside, "DIRECT", (new, old))
    assert proofs.answer(proof("tls_floor", str(new)), context())["ok"] is True
    said = proofs.answer(proof("tls_floor", str(old)), context())
    assert (said["ok"], said["seen"]) == (False, f"Port {old} still speaks TLSv1.")
    monkeypatch.setattr(doors, "_can", lambda context: False)
    said = proofs.answer(proof("tls_floor", str(new)), context())
    assert said["ok"] is None and "This computer" in said["seen"]


def test_the_served_certificate_is_compared_with_the_file(
    serve, certificate, monkeypatch
):
    file, pem = certificate

    def play(talk):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(file)
        server.wrap_socket(talk, server_side=True).recv(9)

    port = serve(play)
    monkeypatch.setattr(outside, "DIRECT", (port,))

    def on_server(text):
        return lambda questions: {
            q: {"rc": 0, "out": text, "err": ""} for q in questions
        }

    same = proofs.answer(
        proof("served_certificate", str(port)), context(on_server(pem))
    )
    assert same["ok"] is True, same
    none = proofs.answer(proof("served_certificate", str(port)), context(on_server("")))
    assert none["ok"] is False and "no certificate" in none["seen"]
    body = pem.splitlines()
    other = "\n".join([body[0], body[2], body[1], *body[3:]]) + "\n"
    said = proofs.answer(
        proof("served_certificate", str(port)), context(on_server(other))
    )
    assert said["ok"] is False and "not read the new one" in said["seen"]


def test_letters_are_told_apart_and_well_formed():
    one, two = messages.token(), messages.token()
    assert one != two
    mail = messages.message(one, BOX.address, more="X-Spam: Yes\n")
    head = messages.head(mail)
    for line in ("Date: ", "From: ", "To: ", f"Message-ID: <{one}@", "X-Spam: Yes"):
        assert line in head
    assert messages.head("A: b\n c\n\td\n\nbody") == "A: b c d"


def test_the_text_to_learn_has_many_new_words():
    one, two = (set(spam.long_message(messages.token()).split()) for _ in "12")
    assert len(one) >= 20 and not one & two
    assert max(map(len, spam.long_message("x").splitlines())) < 998


def test_points_are_read_from_the_header():
    mail = "X-Spamd-Result: default: False [-3.70 / 15.00];\n\tARC_NA(0.00)\n\nbody"
    assert spam.points(mail) == -3.7
    assert spam.points("Subject: none\n\n[1.0 / 2.0]") is None


def test_a_wrong_password_is_refused_as_such_not_by_accident(serve, monkeypatch):
    for answer, ok in (
        ("535 5.7.8 no", True),
        ("454 4.7.0 later", False),
        ("235 in", False),
    ):
        port = serve(script("220 hi", ("AUTH", answer)))
        monkeypatch.setattr(
            Context, "user", lambda self, _, p=port: Smtp(HERE, p, self.lines)
        )
        said = proofs.answer(proof("wrong_password_refused", "submission"), context())
        assert said["ok"] is ok
    assert reading.WRONG.reveal() not in "\n".join(said["transcript"])


@pytest.mark.parametrize(
    ("page", "without", "wrong", "ok"),
    [(200, 401, 403, True), (401, 401, 401, True), (200, 200, 200, False),
     (200, 200, 403, False), (200, 401, 200, False), (503, 401, 403, False)],
)  # fmt: skip
def test_the_page_of_rspamd_is_open_and_tells_nothing(
    monkeypatch, page, without, wrong, ok
):
    answers = {"/rspamd/": page, "/rspamd/stat": without, "q1": wrong}

    def get(ctx, path, tls=True, **headers):
        return answers[headers.get("Password", path)], ""

    monkeypatch.setattr(doors, "get", get)
    assert proofs.answer(proof("web_page_locked"), context())["ok"] is ok


def test_a_free_port_4190_is_closed(monkeypatch):
    ask = lambda questions: {facts.listening(): []}  # noqa: E731
    with socket.socket() as probe:
        in_use = probe.connect_ex(("127.0.0.1", 4190)) == 0
    said = proofs.answer(proof("sieve_closed_outside"), context(ask))
    assert said["ok"] is not in_use


def test_kinds_of_ports():
    assert set(protocols.KINDS) == {25, 465, 587, 143, 993, 110, 995}
