"""Sends a letter as a stranger does, and follows it to where it ends.

What was made for it, a mailbox of its own, is gone afterwards; a letter to an address
somebody chose stays in that mailbox, because he wants to see it.  Draws nothing:
every hop is told the moment it is known.
Sources: RFC 5321, journalctl(1), doveadm-fetch(1)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from ispguide import facts, journal
from ispguide.actions import Run
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.journey import book, clocks, door, log, reading
from ispguide.journey.hop import Hop, in_order
from ispguide.journey.meanings import DEFERRED
from ispguide.journey.ready import must_be_ready, unreached
from ispguide.journey.record import Record
from ispguide.outside import NotReached, unchecked
from ispguide.people import valid_address
from ispguide.proofs import Context
from ispguide.proofs.acting import CannotTell, Refused
from ispguide.proofs.letters import STRANGER, TEXT, letter, token
from ispguide.proofs.protocols import Reply, Smtp
from ispguide.proofs.spam import GTUBE
from ispguide.proving import opened

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
            return reading.on_the_server(self.context, self.record, self.mark, self.to)
        return reading.over_imap(self.context, self.record, self.mark)

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
        self.hear(door.at_the_door(self.record.heard))

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
            reply = self._said(smtp.command(f"MAIL FROM:<{STRANGER}>"))
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
        have = self.context.ask(book.book_facts(self.recipient))
        self.hear(book.in_the_book(middle, self.recipient, have))
        return self._said(reply)

    def _deliver(self, smtp: Smtp) -> None:
        if not self._said(smtp.command("DATA")).good:
            return
        text = f"{GTUBE}\n" if self.kind == "spam" else TEXT
        mail = letter(self.mark, self.recipient, text=text)
        self.number = door.queued_as(self._said(smtp.hand_over(mail)).text)

    # behind it

    def follow(self) -> None:
        """Read the journal until nothing more will happen by itself."""
        end, zero, last = time.monotonic() + PATIENCE, 0.0, False
        while not last:
            last = time.monotonic() > end
            lines, guess = self._journal()
            if not self.number and (number := log.number(lines, self.mark)):
                self.number = number  # now its other lines can be asked for
                continue
            mine = log.Letter(self.mark, self.number)
            if about := [*log.knock(lines, mine), *log.of(lines, mine)]:
                spoken = door.turns(self.record.heard)
                zero = zero or clocks.zero(about, spoken) or guess
                self.hear(seen := log.told(lines, mine, zero))
                last = last or log.ended(seen)
            if not last:
                time.sleep(PAUSE)  # another program's log: there is nothing to await

    def _journal(self) -> tuple[list[journal.Line], float]:
        """The lines, and about when by the server's clock the record began."""
        needles = ["connect from ", "lmtp(", self.mark, self.number or self.mark]
        fact = facts.run(f"date +%s.%N; {journal.about(*needles)}")
        said = self.context.ask([fact])[fact]
        if why := facts.failed_answer(said):
            raise CannotTell(f"The journal of the server cannot be read: {why}.")
        clock, _, rest = said["out"].partition("\n")
        return list(journal.lines(rest)), float(clock) - self.record.now
