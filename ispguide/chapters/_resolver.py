"""What chapter 14 asks the server's own resolver, in a few lines of Python there.

Python's standard library cannot ask for more than addresses, so the question is put
together by hand.  Exit code 75 says "could not tell" (sysexits.h).
Sources: RFC 1035 4.1 (messages), RFC 6840 5.7 (AD in a question), RFC 5782 (block
lists), https://www.spamhaus.org/faqs/dnsbl-usage/ (127.255.255.x)
"""

from collections.abc import Iterator

from ispguide.things import Check

#: ask(name, type): (rcode, whether the signatures were checked, addresses or keys).
_ASK = r"""
import ipaddress, socket, struct, sys
def unknown(why):
    print(why); sys.exit(75)
def end(said, at):
    while said[at] and said[at] < 192:
        at += said[at] + 1
    return at + (2 if said[at] else 1)
def ask(name, kind=1):
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".") if p)
    asked = struct.pack("!6H", 4711, 0x0120, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.settimeout(5)
    line.connect(("127.0.0.1", 53))
    try:
        line.send(asked); said = line.recv(4096)
    except TimeoutError:
        unknown("the resolver at 127.0.0.1 got no answer within 5 seconds")
    except OSError as error:
        print("the resolver at 127.0.0.1 does not answer:", error); sys.exit(1)
    _, flags, _, answers, _, _ = struct.unpack("!6H", said[:12])
    at, found = end(said, 12) + 4, []
    for _ in range(answers):
        at = end(said, at)
        sort, _, _, size = struct.unpack("!2HIH", said[at:at + 10])
        if sort == 1:
            found.append(socket.inet_ntoa(said[at + 10:at + 14]))
        if sort == 52:
            data = said[at + 10:at + 10 + size]
            found.append("%d %d %d " % tuple(data[:3]) + data[3:].hex())
        at += 10 + size
    return flags & 15, bool(flags & 32), found
"""

#: Whether the answer about a signed zone says that its signatures were checked.
SIGNATURES = f"""python3 - {{name}} <<'END'{_ASK}
SOA = 6
for name in (sys.argv[1], ""):
    rcode, checked, _ = ask(name, SOA)
    print(f"{{{{name or 'the root'}}}}: " + ("signed, and checked" if checked else f"no signature seen (code {{{{rcode}}}})"))
    if checked:
        sys.exit(0)
sys.exit(1)
END"""

#: The keys promised at a name (TLSA), and in the first line whether that was checked.
PROMISED = f"""python3 - {{name}} <<'END'{_ASK}
_, checked, found = ask(sys.argv[1], 52)
print("checked" if checked else "not checked", *found, sep="\\n")
END"""

#: Every list has an entry for 127.0.0.2, so that one can see whether it answers.
LIST_ANSWERS = f"""python3 - {{name}} <<'END'{_ASK}
rcode, _, found = ask("2.0.0.127." + sys.argv[1])
print("127.0.0.2:", *found or ["no answer"])
if any(a.startswith("127.0.0.") for a in found):
    sys.exit(0)
if any(a.startswith("127.255.255.") for a in found):
    unknown("the list refuses this resolver: it takes it for a public or a busy one")
unknown("the list does not answer at all")
END"""

#: Its own addresses, as the world sees them, asked of the list.
NOT_LISTED = f"""python3 - {{name}} <<'END'{_ASK}
if not any(a.startswith("127.0.0.") for a in ask("2.0.0.127." + sys.argv[1])[2]):
    unknown("the list does not answer this resolver")
told = bad = 0
for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
    line = socket.socket(family, socket.SOCK_DGRAM)
    try:
        line.connect((target, 9))
    except OSError:
        continue
    own = ipaddress.ip_address(line.getsockname()[0])
    behind = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7".split()
    if any(own in ipaddress.ip_network(n) for n in behind):
        print(own, "is not the address the world sees"); continue
    found = ask(own.reverse_pointer.rsplit(".", 2)[0] + "." + sys.argv[1])[2]
    listed = [a for a in found if a.startswith("127.0.0.")]
    print(own, *listed or ["is not listed"])
    told, bad = told + 1, bad + bool(listed)
sys.exit(1 if bad else 0 if told else 75)
END"""


def lists_asked(block_list: str) -> Iterator[Check]:
    """The list answers the server's own resolver, and has nothing against it."""
    yield Check(
        f"{block_list} answers the server's own resolver",
        LIST_ANSWERS.format(name=block_list),
        do="Run the step `own_resolver`.",
    )
    yield Check(
        f"{block_list} lists none of this server's addresses",
        NOT_LISTED.format(name=block_list),
        do="Its web page says why an address is listed, and how it comes off.",
    )
