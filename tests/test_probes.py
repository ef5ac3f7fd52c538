"""The probes as they run on a server, against a name server of the test's own."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rrset
import pytest

from ispguide.remote import dns as far
from ispguide.remote import probes
from ispguide.remote.common import Failed

ZONE = {
    ("2.0.0.127.list.test.", "A"): ["127.0.0.2"],
    ("7.2.0.192.list.test.", "A"): ["127.0.0.4", "127.0.0.10"],
    ("2.0.0.127.busy.test.", "A"): ["127.255.255.254"],
    ("_25._tcp.mail.test.", "TLSA"): [f"3 1 1 {'ab' * 32}", f"3 1 2 {'cd' * 64}"],
    ("signed.test.", "SOA"): ["ns.test. root.test. 1 1 1 1 1"],
}
SIGNED = {"signed.test.", "_25._tcp.mail.test."}


#: Answers that end too soon: within the head, and within the question.
CUT = {"head.test.": 7, "half.test.": 14}


def told(question: bytes) -> bytes:
    """As a resolver answers, with names that point back at each other."""
    asked = dns.message.from_wire(question)
    said = dns.message.make_response(asked)
    name, kind = asked.question[0].name.to_text(), asked.question[0].rdtype
    word = dns.rdatatype.to_text(kind)
    if values := ZONE.get((name, word)):
        said.answer.append(dns.rrset.from_text(name, 60, "IN", word, *values))
    if name in SIGNED:
        said.flags |= dns.flags.AD
    wire = said.to_wire()
    return wire[: CUT.get(name, len(wire))]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever asks 127.0.0.1 at port 53 asks this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        port, connect = line.getsockname()[1], socket.socket.connect

        def here(self: socket.socket, where: tuple[str, int]) -> None:
            connect(self, ("127.0.0.1", port) if where[1] == 53 else where)

        def serve() -> None:
            while (asked := line.recvfrom(4096))[0] != b"end":
                line.sendto(told(asked[0]), asked[1])

        monkeypatch.setattr(far.socket, "socket", type("S", (socket.socket,), {"connect": here}))  # fmt: skip
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        line.sendto(b"end", ("127.0.0.1", port))
        thread.join(5)


@pytest.mark.parametrize(
    ("zone", "rc", "word"),
    [
        ("list.test", 0, "127.0.0.2: 127.0.0.2"),
        ("busy.test", 75, "refuses this resolver"),
        ("gone.test", 75, "does not answer at all"),
    ],
)
def test_whether_a_list_answers(resolver: None, zone: str, rc: int, word: str) -> None:
    said = probes.answer("list_answers", zone)
    assert said["rc"] == rc and word in said["out"]


@pytest.mark.parametrize(
    ("own", "zone", "rc", "word"),
    [
        (["192.0.2.7"], "list.test", 1, "192.0.2.7 127.0.0.10 127.0.0.4"),
        (["192.0.2.8"], "list.test", 0, "192.0.2.8 is not listed"),
        (["10.0.0.7"], "list.test", 75, "is not the address the world sees"),
        (["10.0.0.7", "192.0.2.8"], "list.test", 0, "is not listed"),
        ([], "list.test", 75, ""),
        (["192.0.2.7"], "busy.test", 75, "does not answer this resolver"),
    ],
)
def test_whether_it_lists_this_machine(
    resolver: None,
    monkeypatch: pytest.MonkeyPatch,
    own: list[str],
    zone: str,
    rc: int,
    word: str,
) -> None:
    monkeypatch.setattr(far, "own_addresses", lambda: iter(own))
    said = probes.answer("not_listed", zone)
    assert said["rc"] == rc and word in said["out"]


@pytest.mark.parametrize("name", ["head.test", "half.test"])
def test_half_an_answer_is_said_and_ends_no_look(resolver: None, name: str) -> None:
    with pytest.raises(Failed, match="no whole answer"):
        far.ask(name)


def test_promised_keys_and_checked_signatures(resolver: None) -> None:
    said = probes.answer("tlsa_records", "_25._tcp.mail.test")["out"].splitlines()
    assert said == ["checked", f"3 1 1 {'ab' * 32}", f"3 1 2 {'cd' * 64}"]
    assert probes.answer("tlsa_records", "nothing.test")["out"] == "not checked\n"
    assert probes.answer("signatures", "signed.test")["rc"] == 0
    assert probes.answer("signatures", "plain.test")["rc"] == 1


def test_nobody_there_is_no_and_silence_is_unsure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(error: OSError) -> dict[str, object]:
        def connect(self: socket.socket, where: object) -> None:
            raise error

        fake = type("S", (socket.socket,), {"connect": connect})
        with monkeypatch.context() as patch:
            patch.setattr(far.socket, "socket", fake)
            return probes.answer("list_answers", "list.test")

    assert asked(ConnectionRefusedError("no"))["rc"] == 1
    assert asked(TimeoutError())["rc"] == 75


def test_an_unknown_probe_is_named() -> None:
    said = probes.answer("weather")
    assert said["rc"] == 1 and "weather" in said["out"]


@pytest.mark.parametrize(
    ("messages", "rc", "word"),
    [
        (None, 0, "no older server"),
        ({"a@x.test": [3, 3]}, 0, "1 mailboxes are whole"),
        ({"a@x.test": [3, 2], "b@x.test": [1, 1]}, 1, "a@x.test: 3 there, 2 here"),
    ],
)
def test_what_of_the_older_server_is_missing(
    tmp_path, monkeypatch, messages, rc, word
) -> None:
    file = tmp_path / "moving.json"
    if messages is not None:
        file.write_text(json.dumps({"letters": messages}))
    monkeypatch.setattr(probes, "MOVING", file)
    said = probes.answer("all_came")
    assert said["rc"] == rc and word in said["out"]
