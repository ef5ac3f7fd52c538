"""DkimKeys and DkimSigners: a key for each domain, and rspamd's list of who signs.

Pure.  A domain is on the list only when the public half of its key was seen at all
name servers of its zone: a signature that nobody can check is worse than none.
Sources: RFC 6376, rspamadm(1) dkim_keygen, https://docs.rspamd.com/modules/dkim_signing/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide.engine.actions import Action, Run, Write, quote
from ispguide.engine.facts import Fact, Have
from ispguide.engine.gaps import Gap, Unsure, together
from ispguide.engine.things import Plain
from ispguide.mail.dkim.keys import (
    BITS,
    FOLDER,
    LOOK,
    MAP,
    Entry,
    Key,
    Signers,
    entries,
    seen,
    with_entries,
)
from ispguide.mail.dkim.records import FACTS, KeyRecord, visible
from ispguide.mail.dns.compare import MISSING, UNKNOWN

#: The selector is the minute in which the key is made, so that none comes twice.
MAKE = """s=$(date -u +%Y%m%d%H%M) && f={folder}/{domain}.$s.key && [ ! -e $f ]
umask 077 && rspamadm dkim_keygen -b {bits} -d {domain} -s $s -k $f.new > /dev/null
chown root:_rspamd $f.new && chmod 0440 $f.new && mv $f.new $f"""


def make(domain: str) -> Run:
    """A new key, made on the server; nothing of it is printed."""
    command = MAKE.format(folder=FOLDER, domain=quote(domain), bits=BITS)
    return Run(command, seconds=60)


def rights(key: Key) -> Run:
    """For root and rspamd.  A shell command, because the ledger keeps what others
    change, and a key belongs in no ledger."""
    path = quote(key.path)
    return Run(f"chown root:_rspamd {path} && chmod 0440 {path}")


@dataclass(frozen=True)
class DkimKeys(Plain):
    """A key of 2048 bits for every mail domain, readable for rspamd and nobody else.

    `domain`: the first one, for showing the guide without a server."""

    domain: str

    def __str__(self) -> str:
        return "a DKIM key for each mail domain"

    def facts(self) -> Iterable[Fact]:
        return [LOOK]

    def gap(self, have: Have) -> Gap:
        signers = seen(have)
        if signers is None:
            return Unsure("Could not tell which domains and keys the server has.")
        return together(t for d in signers.domains for t in _wrong(signers, d))

    def fix(self, have: Have) -> Sequence[Action]:
        signers = seen(have)
        if signers is None:
            return [make(self.domain)]
        return [a for d in signers.domains for a in _mended(signers, d)]

    def evidence(self, have: Have) -> str:
        signers = seen(have)
        keys = signers.keys if signers else ()
        return "\n".join(f"{k.path}: {k.bits} bits, {k.mode} {k.owner}" for k in keys)


def _wrong(signers: Signers, domain: str) -> Iterable[Gap]:
    """Is, should be, do now: what is wrong with the keys of a domain."""
    for key in signers.of(domain):
        if not key.public:
            yield Gap(
                "malformed",
                f"{key.path} holds no key that openssl can read. It should hold a "
                "private key. This step puts it aside.",
            )
    for key in signers.needed(domain):
        if not (key.readable and key.private):
            who = "cannot be read by rspamd, so it signs nothing with it" if not key.readable else "can be read by everybody"  # fmt: skip
            yield Gap(
                "wrong-permissions",
                f"{key.path} ({key.mode} {key.owner}) {who}. It should have 0440 "
                "root:_rspamd. This step sets that.",
            )
    if not any(k.bits >= BITS for k in signers.needed(domain)):
        kind, is_ = _none(signers, domain)
        yield Gap(
            kind,
            f"{is_} It should have one of {BITS} bits. This step makes it, on the server.",
        )


def _none(signers: Signers, domain: str) -> tuple[str, str]:
    """The kind of the gap, and what is so."""
    entry, there = signers.entry(domain), signers.needed(domain)
    if there:
        return "weak", f"The key of {domain} has {there[-1].bits} bits, which is weak."
    if entry:
        return "dangling", f"rspamd should sign for {domain} with the key {entry.selector}, and there is no such key."  # fmt: skip
    return "missing", f"{domain} has no key."


def _mended(signers: Signers, domain: str) -> Iterable[Run]:
    for key in signers.of(domain):
        if not key.public:
            yield Run(f"mv {quote(key.path)} {quote(key.path)}.unreadable")
        elif key in signers.needed(domain) and not (key.readable and key.private):
            yield rights(key)
    if not any(k.bits >= BITS for k in signers.needed(domain)):
        yield make(domain)


@dataclass(frozen=True)
class DkimSigners(Plain):
    """rspamd's list names every domain whose key the world can see."""

    def __str__(self) -> str:
        return "rspamd's list of who signs with which DKIM key"

    def facts(self) -> Iterable[Fact]:
        return FACTS

    def gap(self, have: Have) -> Gap:
        signers = seen(have)
        if signers is None:
            return Unsure("Could not tell for which domains rspamd signs.")
        begin, end = _changes(have, signers)
        told = [
            Gap(
                "missing",
                f"{e.domain} is signed for by nobody. It should be signed for with the key "
                f"{e.selector}, which the world can see by now. This step tells rspamd.",
            )
            for e in begin
        ]
        told += [
            Gap(
                "dangling",
                f"{d} is on rspamd's list with a key that is not there. It should not be. "
                "This step takes it off.",
            )
            for d in end
        ]
        waiting = _waiting(have, signers, [e.domain for e in begin])
        return together([*told, *waiting])

    def fix(self, have: Have) -> Sequence[Action]:
        signers = seen(have)
        begin, end = _changes(have, signers) if signers else ([], [])
        if signers is None or not (begin or end):
            return ()
        return [Write(MAP, with_entries(signers.list_, begin, end))]

    def evidence(self, have: Have) -> str:
        signers = seen(have)
        found = entries(signers.list_) if signers else []
        return "\n".join(entry.line() for entry in found)


def _changes(have: Have, signers: Signers) -> tuple[list[Entry], list[str]]:
    """(new lines, domains to take off).  Whoever signs goes on signing, whatever the
    DNS says: another key is the rotation's business."""
    ready = visible(have, signers)
    begin, end = [], []
    listed = [e.domain for e in entries(signers.list_)]  # a domain may be gone by now
    for domain in dict.fromkeys([*signers.domains, *listed]):
        if signers.signing(domain):
            continue
        key = next((k for k in signers.newer(domain) if k in ready and k.usable), None)
        if key:
            begin.append(Entry(domain, key.selector, signers.now))
        elif signers.entry(domain):
            end.append(domain)
    return begin, end


def _waiting(have: Have, signers: Signers, begin: Sequence[str]) -> list[Gap]:
    """Domains that nobody signs for, because the world cannot see their keys."""
    told: list[Gap] = []
    for domain in signers.domains:
        if signers.signing(domain) or domain in begin:
            continue
        needed = signers.needed(domain)
        state = KeyRecord(needed[-1], domain).verdict(have).state if needed else MISSING
        why = "its key is not in the DNS yet" if state != UNKNOWN else "it could not be told whether its key is in the DNS"  # fmt: skip
        sentence = f"{domain} is signed for by nobody, because {why}. Once it is seen there, this step tells rspamd."  # fmt: skip
        told.append(Unsure(sentence) if state == UNKNOWN else Gap("waits", sentence))
    return told
