"""Sends a letter as a stranger does, and follows it to where it ends.

What was made for it, a mailbox of its own, is gone afterwards; a letter to an address
somebody chose stays in that mailbox, because he wants to see it.  Draws nothing:
every hop is told the moment it is known.
Sources: RFC 5321, journalctl(1), doveadm-fetch(1)
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from ispguide.chapters import GUIDE
from ispguide.engine import facts
from ispguide.engine.actions import Run, quote
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Ran, failed_answer
from ispguide.engine.guide import Guide
from ispguide.engine.overview import overview
from ispguide.mail.log import clocks, journal, trace
from ispguide.mail.log.clocks import Record
from ispguide.mail.log.hops import (
    Hop,
    in_order,
    in_the_user_database,
    queued_as,
    smtp_dialogue,
    turns,
    user_database_facts,
)
from ispguide.mail.log.meanings import DEFERRED
from ispguide.mail.people import valid_address
from ispguide.outside.talk import NotReached, unchecked
from ispguide.proofs import Context
from ispguide.proofs.base import CannotTell, Refused
from ispguide.proofs.context import opened
from ispguide.proofs.messages import (
    SENDER_ELSEWHERE,
    TEXT,
    head,
    message,
    token,
    wait_for,
)
from ispguide.proofs.protocols import Reply, Smtp
from ispguide.proofs.spam import GTUBE
from ispguide.replay.server import paced

# The last hops: the letter is found in the mailbox, and tells its own story.
#
# Sources: RFC 9051 (IMAP), RFC 5321 4.4 (trace lines), doveadm-fetch(1)


#: Header lines that tell of the way, and what the writer himself wrote.
TRACE = (
    "Return-Path", "Delivered-To", "Received", "X-Spamd-Result", "X-Spam",
    "From", "To", "Subject", "Date", "Message-ID",
)  # fmt: skip


def over_imap(context: Context, record: Record, mark: str) -> Iterator[Hop]:
    """The owner of the mailbox comes with a password, finds it and reads it."""
    at, begin = record.now, len(record)
    with context.reader() as imap:
        words = (
            "A mail program comes to port 993, encrypted from the first byte, with a "
            "name and a password. The password is asked of the address book."
        )
        yield Hop(at, "reader", "logs in over IMAP", words, _said(record, begin))
        at, begin = record.now, len(record)
        folder, uid = wait_for(imap, mark)
        if not folder:
            raise CannotTell("the letter is in no folder that IMAP shows.")
        words = "The mail program asks what is new. The letter stays on the server."
        yield Hop(at, "reader", f"finds it in {folder}", words, _said(record, begin))
        at = record.now
        yield _read(at, imap.fetch(uid))


def on_the_server(
    context: Context, record: Record, mark: str, to: str
) -> Iterator[Hop]:
    """A mailbox whose password is its owner's business: the server looks itself."""
    at = record.now
    fact = facts.run(_search(mark))
    said = Ran.of(context.ask([fact])[fact]).out
    where = re.search(r"^mailbox: (.*)$", said, re.M)
    if not where:
        raise CannotTell("the letter is in no folder that Dovecot shows.")
    words = (
        f"The letter waits in {where[1]}. It is not removed: look for it with your mail "
        "program, and delete it there."
    )
    yield Hop(at, "reader", f"can read it at {to}", words)
    yield _read(record.now, said.partition("hdr:\n")[2])


def _search(mark: str) -> str:
    """Whoever has it: an alias may have led it to several people."""
    return f"doveadm -f pager fetch -A 'mailbox hdr' HEADER Message-ID {quote(mark)}"


def _read(at: float, mail: str) -> Hop:
    words = (
        "Everybody who had the letter in his hands left a line on top of it. Read from "
        "below: what the writer wrote, what rspamd thought, who received it when, and "
        "for whom it was laid down."
    )
    return Hop(
        at, "reader", "reads what the letter tells", words, "\n".join(trace_lines(mail))
    )


def trace_lines(mail: str) -> list[str]:
    """The lines of the header that tell of the way, as they stand there."""
    rows = head(mail.replace("\r\n", "\n")).splitlines()
    wanted = tuple(f"{name}:".lower() for name in TRACE)
    return [" ".join(row.split()) for row in rows if row.lower().startswith(wanted)]


def _said(record: Record, begin: int) -> str:
    return "\n".join(record[begin:])


# Whether a letter can make its journey at all, and why not, in three parts.


#: The letter is delivered by what the chapters below this one make.
FIRST_MAIL = 9


def must_be_ready(guide: Guide) -> None:
    """Refuse while a chapter was never done; one that only drifted is worth watching."""
    needed = [c for c in GUIDE if c.number < FIRST_MAIL]
    asked = [facts.ledger(), facts.proved()]
    report = guide.check(*needed, also=asked)
    found = overview(needed, report, *(guide.have[fact] for fact in asked))
    for state in found.chapters:
        if state.state == "open" and state.step:
            gap = (state.missing.splitlines() or [""])[0]
            step, name = state.step.replace("_", " "), state.chapter.notebook
            raise GuideError(
                f"Chapter {state.chapter.number:02d}, “{state.chapter.title}”, is not "
                f"done yet: {gap}",
                "A letter needs the chapters 02 to 08 before it can be followed.",
                f"Run the step “{step}” in {name}, then those after it.",
                kind="not-ready",
            )


def unreached(stop: NotReached, context: Context) -> GuideError:
    """Nobody answered: is it the server, or something on the way to it?"""
    if not stop.opened and context.listens(stop.port):
        return GuideError(
            f"From this computer, {stop}.",
            "The server listens there, so something on the way is in between: a "
            "firewall, or your own provider, who keeps home lines from sending mail.",
            "Try from another network; the practice server can always be reached.",
            kind="blocked-on-the-way",
        )
    return GuideError(
        f"The server does not answer at {stop}.",
        "Postfix should listen there for the whole world.",
        "Run the proofs of chapter 06: they name what is missing.",
        kind="not-reached",
    )


# Sends a letter as a stranger does, and follows it to where it ends.


#: Kinds of letters, and what they are for.
KINDS = {
    "letter": "an ordinary letter",
    "spam": "a letter that is certainly spam",
    "nobody": "a letter to nobody",
}

#: Seconds the journal is followed, and between two looks into it.
PATIENCE, PAUSE = 15.0, 0.15

Tell = Callable[[Hop], None]


def travel(guide: Guide, kind: str, to: str, tell: Tell) -> list[Hop]:
    """Send one and follow it.  `to`: an address, or "" for a mailbox of its own."""
    if kind not in KINDS:
        kinds = ", ".join(KINDS)
        raise GuideError(
            f"There is no letter {kind!r}.",
            f"There are: {kinds}.",
            kind="no-such-message",
        )
    to = valid_address(to) if to else ""
    must_be_ready(guide)
    with opened(guide) as context:
        try:
            journey = Journey(context, kind, to, tell)
            journey.all()
            if journey.stuck:
                _take_back(guide, journey)
            return in_order(journey.hops)
        except NotReached as stop:
            raise unreached(stop, context) from stop
        except (CannotTell, Refused) as stop:
            raise GuideError(
                f"The journey ended early: {stop}",
                "The letter should have been followed into the mailbox.",
                "Run the proofs of chapter 09: they name what is missing.",
                kind="journey-ended",
            ) from stop


def _take_back(guide: Guide, journey: Journey) -> None:
    """Its mailbox is about to go, so a letter that waits would never arrive."""
    command = f"postsuper -d {journey.number}"
    answer = guide.exchange([Run(command)], step="journey: take back a letter")
    done = answer.done or {"ok": False, "evidence": "The connection broke."}
    words = "The mailbox made for it goes now, so the letter is taken out of the queue."
    hop = Hop(journey.record.now, "postfix", "gives it back", words, f"$ {command}")
    if not done["ok"]:
        words = (
            "The letter should have been taken out of the queue; it waits there still."
        )
        hop = replace(hop, words=words, state="note", detail=done.get("evidence", ""))
    journey.hear([hop])


@dataclass
class Journey:
    """One letter under way."""

    context: Context
    kind: str
    to: str
    tell: Tell
    hops: list[Hop] = field(default_factory=list)
    mark: str = field(default_factory=token)
    number: str = ""

    def all(self) -> None:
        """From the door to the reader, or to where it ends."""
        self.recipient = self.to or self._own_address()
        self.knock()
        self.follow()
        if any(hop.who == "dovecot" and hop.state == "ok" for hop in self.hops):
            self.hear(self._read())

    @property
    def stuck(self) -> bool:
        """Whether it waits in our queue for the mailbox that was made for it."""
        return not self.to and any(h.what == DEFERRED for h in self.hops)

    def _read(self) -> Iterator[Hop]:
        if self.to:
            return on_the_server(self.context, self.record, self.mark, self.to)
        return over_imap(self.context, self.record, self.mark)

    def _own_address(self) -> str:
        if self.kind == "nobody":
            return f"nobody-{self.mark}@{self.context.settings.domain}"
        return self.context.address

    def hear(self, hops: Iterable[Hop]) -> None:
        """Tell those that are new."""
        for hop in hops:
            if hop not in self.hops:
                self.hops.append(hop)
                self.tell(hop)

    def listen(self) -> None:
        """What was said at the door so far."""
        self.hear(smtp_dialogue(self.record.heard))

    # at the door

    def knock(self) -> None:
        """A stranger brings the letter; what is heard is told turn by turn."""
        tls = unchecked()
        self.record = Record()
        self.context = replace(self.context, lines=self.record)
        with Smtp(self.context.where, 25, self.record, tls) as smtp:
            smtp.ehlo_name = f"{self.mark}.elsewhere.test"
            if "STARTTLS" in self._said(smtp.ehlo()).whole:
                self._said(smtp.starttls())
            reply = self._said(smtp.command(f"MAIL FROM:<{SENDER_ELSEWHERE}>"))
            if reply.good and self._recipient(smtp).good:
                self._deliver(smtp)
            self._said(smtp.command("QUIT"))

    def _said(self, reply: Reply) -> Reply:
        self.listen()
        return reply

    def _recipient(self, smtp: Smtp) -> Reply:
        """While Postfix holds the line, its questions to the book are asked anew."""
        said = self.record.now
        reply = smtp.command(f"RCPT TO:<{self.recipient}>")
        middle = (said + self.record.now) / 2
        have = self.context.ask(user_database_facts(self.recipient))
        self.hear(in_the_user_database(middle, self.recipient, have))
        return self._said(reply)

    def _deliver(self, smtp: Smtp) -> None:
        if not self._said(smtp.command("DATA")).good:
            return
        text = f"{GTUBE}\n" if self.kind == "spam" else TEXT
        mail = message(self.mark, self.recipient, text=text)
        self.number = queued_as(self._said(smtp.hand_over(mail)).text)

    # behind it

    def follow(self) -> None:
        """Read the journal until nothing more will happen by itself."""
        end, zero, last = time.monotonic() + PATIENCE, 0.0, False
        while not last:
            last = time.monotonic() > end
            lines, guess = self._journal()
            if not self.number and (number := trace.number(lines, self.mark)):
                self.number = number  # now its other lines can be asked for
                continue
            mine = trace.Message(self.mark, self.number)
            if about := [*trace.knock(lines, mine), *trace.of(lines, mine)]:
                spoken = turns(self.record.heard)
                zero = zero or clocks.zero(about, spoken) or guess
                self.hear(seen := trace.told(lines, mine, zero))
                last = last or trace.ended(seen)
            if not last:
                time.sleep(PAUSE)  # another program's log: there is nothing to await

    def _journal(self) -> tuple[list[journal.Line], float]:
        """The lines, and about when by the server's clock the record began."""
        needles = ["connect from ", "lmtp(", self.mark, self.number or self.mark]
        fact = facts.run(f"date +%s.%N; {journal.about(*needles)}")
        said = Ran.of(self.context.ask([fact])[fact])
        if said.why:
            raise CannotTell(f"The journal of the server cannot be read: {said.why}.")
        clock, _, rest = said.out.partition("\n")
        return list(journal.lines(rest)), float(clock) - self.record.now


# A recorded letter: the journey it made then, told again at its own pace.


def journey(kind: str) -> Fact:
    """The hops of a letter of this kind; only a recording answers it."""
    return ("journey", kind)


def retold(guide: Guide, kind: str, tell: Callable[[Hop], None]) -> list[Hop]:
    """The hops, as `travel` gives them."""
    fact = journey(kind)
    told = guide.server.exchange(tell=[fact]).have[fact]
    if why := failed_answer(told):
        raise GuideError(
            f"This letter cannot be followed: {why}.",
            "A replay tells the journey that was recorded.",
            kind="not-recorded",
        )
    hops = [Hop(**hop) for hop in told]
    for hop in paced(hops, lambda hop: hop.at):
        tell(hop)
    return hops
