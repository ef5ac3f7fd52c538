"""Conversations with real sockets on this computer, and a small real DNS server."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import dns.message
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ispguide.engine import facts
from ispguide.engine.settings import Settings
from ispguide.outside import names as nameservers
from ispguide.outside import talk as outside
from ispguide.outside.talk import NotReached, Talk, Where, unchecked

S = Settings("mail.example.test", "example.test", "postmaster@example.test")
HERE = Where("127.0.0.1", "mail.example.test", check=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """serve(play): `play` gets each connection, in its own thread; the port."""
    ears = []

    def start(play: Callable[[socket.socket], None]) -> int:
        ear = socket.create_server(("127.0.0.1", 0))
        ears.append(ear)
        threading.Thread(target=_accept, args=(ear, play), daemon=True).start()
        return int(ear.getsockname()[1])

    yield start
    for ear in ears:
        ear.close()


def _accept(ear: socket.socket, play: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            talk, _ = ear.accept()
        except OSError:
            return
        with talk:
            talk.settimeout(5)
            with contextlib.suppress(OSError):  # clients hang up in some tests
                play(talk)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """(file with certificate and key, PEM) for mail.example.test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, S.hostname)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(S.hostname)]), False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_text(pem + private)
    return str(path), pem


def secure(talk: socket.socket, file: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context.wrap_socket(talk, server_side=True)


def test_a_conversation_is_kept_as_lines(serve):
    port = serve(lambda s: (s.sendall(b"220 h\xc3\xa9llo\r\n"), s.recv(99)))
    with Talk(HERE, port) as talk:
        assert talk.line() == "220 héllo"
        talk.send(b"AUTH PLAIN c2VjcmV0\r\n", shown="AUTH PLAIN •••")
    assert talk.lines[1:] == ["S: 220 héllo", "C: AUTH PLAIN •••"]


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(NotReached, match="connection refused") as stop:
            Talk(HERE, free.getsockname()[1])
    assert not stop.value.opened


@pytest.mark.parametrize("host", ["no-such-host.invalid", "two..dots", "a" * 70])
def test_a_host_that_cannot_be(host):
    with pytest.raises(NotReached) as stop:
        Talk(Where(host, "x"), 25)
    assert not stop.value.opened


def test_the_server_hangs_up(serve):
    port = serve(lambda s: None)
    with pytest.raises(NotReached, match="hung up|reset") as stop:
        Talk(HERE, port).line()
    assert stop.value.opened


def test_a_silent_server_has_a_deadline(serve):
    port = serve(lambda s: s.recv(99))
    with pytest.raises(NotReached) as stop:
        Talk(HERE, port, patience=0.2).line()
    assert isinstance(stop.value.cause, TimeoutError) and stop.value.opened


def test_a_server_that_drips_has_the_same_deadline(serve):
    def drip(s):
        for _ in range(40):
            s.sendall(b"x")
            threading.Event().wait(0.05)

    with pytest.raises(NotReached, match="no answer in time"):
        Talk(HERE, serve(drip), patience=0.3).line()


def test_tls_is_checked_where_it_can_be(serve, certificate):
    file, pem = certificate
    port = serve(lambda s: secure(s, file).recv(99))
    with Talk(Where("127.0.0.1", S.hostname, ca_file=file), port) as good:
        good.secure()
        assert good.tls.startswith("TLSv1.")
        assert good.certificate == ssl.PEM_cert_to_DER_cert(pem)
    with pytest.raises(NotReached, match="certificate is not accepted"):
        Talk(Where("127.0.0.1", S.hostname), port).secure()
    with pytest.raises(NotReached, match="mismatch"):
        Talk(Where("127.0.0.1", "other.test", ca_file=file), port).secure()
    Talk(HERE, port, context=unchecked()).secure()


def test_what_was_said_before_tls_is_forgotten(serve, certificate):
    """STARTTLS injection (CVE-2011-0411): words put in before the handshake."""

    def play(s):
        s.sendall(b"220 go ahead\r\n250 injected\r\n")
        s.recv(4)
        secure(s, certificate[0]).sendall(b"250 honest\r\n")

    talk = Talk(HERE, serve(play))
    talk.line()
    talk.send(b"go\r\n")
    talk.secure()
    assert talk.line() == "250 honest"


class Names(threading.Thread):
    """A DNS server over UDP that knows a handful of names."""

    zone = {
        ("example.test.", "MX"): ["20 b.example.test.", "10 a.example.test."],
        ("example.test.", "TXT"): ['"v=spf1 mx" " -all"'],
        ("7.44.19.198.in-addr.arpa.", "PTR"): ["mail.example.test."],
    }

    def run(self) -> None:
        import dns.flags
        import dns.message
        import dns.rcode
        import dns.rdatatype
        import dns.rrset

        while True:
            try:
                data, who = self.socket.recvfrom(4096)
            except OSError:
                return
            asked = dns.message.from_wire(data)
            said = dns.message.make_response(asked)
            said.flags |= dns.flags.RA
            name = asked.question[0].name.to_text()
            kind = dns.rdatatype.to_text(asked.question[0].rdtype)
            if name == "broken.test.":
                said.set_rcode(dns.rcode.SERVFAIL)
            elif found := self.zone.get((name, kind)):
                said.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *found))
            elif name != "example.test.":
                said.set_rcode(dns.rcode.NXDOMAIN)
            self.socket.sendto(said.to_wire(), who)


@pytest.fixture(scope="module")
def resolver() -> Iterator[str]:
    thread = Names(daemon=True)
    thread.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    thread.socket.bind(("127.0.0.1", 0))
    thread.start()
    yield f"127.0.0.1#{thread.socket.getsockname()[1]}"
    thread.socket.close()


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("example.test", "MX", ["10 a.example.test.", "20 b.example.test."]),
        ("example.test.", "MX", ["10 a.example.test.", "20 b.example.test."]),
        ("example.test", "TXT", ["v=spf1 mx -all"]),
        ("198.19.44.7", "PTR", ["mail.example.test."]),
        ("example.test", "AAAA", []),
        ("nowhere.test", "A", []),
    ],
)
def test_dns(resolver, name, kind, values):
    fact = facts.outside("dns", name, kind, resolver)
    told = {"values": values, "ttl": 60 if values else 0, "alias": ""}
    assert outside.answers([fact], "127.0.0.1", S) == {fact: told}


def test_dns_that_fails_is_an_error_not_an_empty_answer(resolver, monkeypatch):
    monkeypatch.setattr(nameservers, "PATIENCE", (0.2, 0.3))  # seconds for an answer
    names = nameservers.Names(resolver)
    assert "error" in names.through("broken.test", "A")
    assert "error" in names.through("example.test", "A", "127.0.0.1#1")
    assert "error" in names.through("not a name..", "A")


def test_each_question_is_asked_once_in_a_look(resolver, monkeypatch):
    asked: list[tuple[str, str]] = []
    real = nameservers.ask

    def counted(server: tuple[str, int], name: str, kind: str) -> dns.message.Message:
        asked.append((name, kind))
        return real(server, name, kind)

    monkeypatch.setattr(nameservers, "ask", counted)
    names = nameservers.Names(resolver)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda n: names.through(n, "TXT"), ["example.test", "example.test."] * 8))  # fmt: skip
    assert len(asked) == 1 and all(t["values"] == ["v=spf1 mx -all"] for t in told)
    assert names.absent("nowhere.test") and not names.absent("example.test")
    for _ in range(2):  # a question that failed is not asked again either
        assert "error" in names.through("broken.test", "A")
    assert asked[1:] == [("nowhere.test.", "SOA"), ("example.test.", "SOA"), ("broken.test.", "A")]  # fmt: skip


def test_the_clock_and_unknown_questions():
    now, what = facts.outside("now"), facts.outside("weather")
    have = outside.answers([now, what], "127.0.0.1", S)
    assert abs(have[now] - datetime.datetime.now().timestamp()) < 5
    assert "weather" in have[what]["error"]
