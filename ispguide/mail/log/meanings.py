"""What a line of the journal means for the letter it speaks of, in a newcomer's words.

Pure.  One rule a kind of line; what no rule knows is passed over.
Manuals: postconf(5) (delays), cleanup(8), qmgr(8), lmtp(8), MILTER_README
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ispguide.mail.log.hops import Hop
from ispguide.mail.log.journal import Judged, Line, judged
from ispguide.mail.log.traffic import meaning, refusal

Found = re.Match[str]

LAST, DEFERRED = "forgets the letter", "could not hand it over yet"
LATER, REFUSED, GIVEN_UP = "says: not now", "refuses it", "gives up"

#: After one of these nothing more happens by itself for a while.
ENDS = {LAST, DEFERRED, LATER, REFUSED, GIVEN_UP}


def _given(at: float, line: Line, found: Found) -> Hop:
    words = (
        f"The letter gets a number, {found[1]}. It stands on every line about this "
        "letter in the log: the thread to follow when somebody asks for a lost mail."
    )
    return Hop(at, "postfix", "gives it a number", words + _bringer(found), str(line))


def _bringer(found: Found) -> str:
    """Who came with the letter."""
    if found["user"]:
        return f" {found['user']} brought it and has logged in."
    return f" It was brought by {found['client']}."


def _written(at: float, line: Line, found: Found) -> Hop:
    name = (
        f"The Message-ID {found[2]} is the letter's own name, given by whoever wrote it."
        if found[2].strip("<>")
        else "Whoever wrote it gave it no name of its own (no Message-ID)."
    )
    words = f"Head and body come in and are written to the disk. {name}"
    return Hop(at, "postfix", "writes it down", words, str(line))


def _refused(at: float, line: Line, found: Found) -> Hop:
    later = found["code"].startswith("4")
    what = LATER if later else REFUSED
    said = f"Postfix's answer: “{found['said'].strip()}”"
    words = f"{refusal(found['said']).words} {said}".strip()
    return Hop(at, "postfix", what, words, str(line), "wait" if later else "no")


def _judged(at: float, line: Line, found: Found) -> Hop:
    verdict = judged(line)
    if verdict is None:
        return Hop(
            at, "rspamd", "looks at it", "Its verdict cannot be read.", str(line)
        )
    what = f"gives it {verdict.score:.1f} points"
    state = {"reject": "no", "soft reject": "wait", "greylist": "wait"}
    advice = _ACTIONS.get(verdict.action, verdict.action)
    words = " ".join(p for p in (advice, _weighty(verdict), _grey(verdict)) if p)
    return Hop(
        at, "rspamd", what, words, _rules(verdict), state.get(verdict.action, "ok")
    )


_ACTIONS = {
    "no action": "Harmless: it may go on.",
    "add header": "Doubtful: it goes on with the mark “X-Spam: Yes”.",
    "rewrite subject": "Doubtful: it goes on with a mark in its subject.",
    "greylist": "Unknown: the stranger should come again in some minutes.",
    "soft reject": "Not now: the stranger should come again in some minutes.",
    "reject": "Certainly spam: Postfix should refuse it.",
}


def _weighty(verdict: Judged) -> str:
    """The rules that counted most, by name."""
    most = [s for s in verdict.symbols if abs(s.points) >= 0.5][:3]
    names = ", ".join(f"{s.name} ({s.points:+g})" for s in most)
    return f"What counted most: {names}." if names else ""


def _grey(verdict: Judged) -> str:
    """When a letter on the grey list would be let in."""
    text = " ".join(s.about for s in verdict.symbols if s.name == "GREYLIST")
    found = re.search(r"greylisted;\w+, (.*? GMT)", text)
    return f"It is on the grey list: from {found[1]} on it is let in." if found else ""


def _rules(verdict: Judged) -> str:
    head = f"{verdict.score:g} of {verdict.limit:g} points → {verdict.action}"
    rows = [f"{s.points:+6.2f}  {s.name}  {s.about}".rstrip() for s in verdict.symbols]
    return "\n".join([head, *rows])


def _queued(at: float, line: Line, found: Found) -> Hop:
    words = (
        f"{int(found['size']):,} bytes wait in the queue for their turn. Whatever "
        "happens now, a power cut included, the letter is still there afterwards."
    )
    return Hop(at, "postfix", "puts it into the queue", words, str(line))


def _passed(at: float, line: Line, found: Found) -> Hop:
    detail = f"{line}{delays(found['delays'])}"
    moved = f" {found['orig']} led there." if found["orig"] else ""
    if found["status"] == "sent":
        words = (
            f"Over LMTP, the SMTP of the last yard: “for {found['to']}”. Dovecot "
            f"answers 250 when the letter is safely in the mailbox.{moved}"
        )
        return Hop(at, "postfix", "has handed it over", words, detail)
    waits = found["status"] == "deferred"
    doing = "Postfix keeps the letter" if waits else "It cannot be delivered"
    words = f"{doing}, because {meaning(found['why'])}. The reason: {found['why']}"
    what, state = (DEFERRED, "wait") if waits else (GIVEN_UP, "no")
    return Hop(at, "postfix", what, words, detail, state)


def delays(text: str) -> str:
    """Postfix's four times in words."""
    names = ("before the queue", "in the queue", "connecting", "handing over")
    parts = [f"{n}: {t} s" for n, t in zip(names, text.split("/"), strict=False)]
    return "\n" + ", ".join(parts)


def _stored(at: float, line: Line, found: Found) -> Hop:
    folder = found["folder"]
    sieve = "sieve" in line.text
    why = {"INBOX": "No filter rule wanted it elsewhere."}.get(
        folder, "A filter rule put it there."
    )
    words = f"It lies in the folder {folder}. {why if sieve else ''}".strip()
    return Hop(at, "dovecot", f"puts it into {folder}", words, str(line))


def _stumbled(at: float, line: Line, found: Found) -> Hop:
    words = "Dovecot has something to say about it. The letter is not lost by that."
    return Hop(at, "dovecot", "complains", words, str(line), "note")


def _removed(at: float, line: Line, found: Found) -> Hop:
    words = "The letter is in other hands, so Postfix takes it out of its queue."
    return Hop(at, "postfix", LAST, words, str(line))


Build = Callable[[float, Line, Found], Hop]
_CODE = r"(?P<said>(?P<code>[45]\d\d|[45]\.\d\.\d+) .*?);? from=<"
RULES: tuple[tuple[str, str, Build], ...] = (
    (
        r"postfix/(?:\w+/)?smtpd",
        r"^(\w+): client=(?P<client>[^,\s]+)(?:.*sasl_username=(?P<user>[^,\s]+))?",
        _given,
    ),
    (r"postfix/(?:\w+/)?smtpd", r"^NOQUEUE: (?:milter-)?reject: .*?: " + _CODE, _refused),
    (r"postfix/\w+", r"^\w+: (?:milter-)?reject: .*?: " + _CODE, _refused),
    (r"postfix/cleanup", r"^(\w+): message-id=(.*)", _written),
    (r"rspamd", r"rspamd_task_write_log", _judged),
    (r"postfix/qmgr", r"^\w+: from=.* size=(?P<size>\d+),.*queue active", _queued),
    (
        r"postfix/\w+",
        r"^\w+: to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig>[^>]*)>, )?.*"
        r"delays=(?P<delays>[\d./]+), .*status=(?P<status>\w+) \((?P<why>.*)\)",
        _passed,
    ),
    (r"dovecot", r"(?:stored|saved) mail (?:in)?to (?:mailbox )?'?(?P<folder>[^']+)'?", _stored),
    (r"dovecot", r": (?:Error|Warning): ", _stumbled),
    (r"postfix/qmgr", r"^\w+: removed$", _removed),
)  # fmt: skip


# Lines of the journal about mail that leaves, goes on, or comes back.
#
# Pure.  These rules are asked before the others.
# Manuals: smtp(8), bounce(8), pickup(8), https://doc.dovecot.org/2.3/ (sieve actions)


def _from_here(at: float, line: Line, found: Found) -> Hop:
    words = (
        f"A program on the server itself hands in a letter from {found[1] or 'nobody'}."
    )
    return Hop(at, "postfix", "takes it from the machine", words, str(line))


def _sent(at: float, line: Line, found: Found) -> Hop:
    detail = f"{line}{delays(found['delays'])}"
    relay = found["relay"].partition("[")[0]
    moved = f" {found['orig']} leads there." if found["orig"] else ""
    match found["status"]:
        case "sent":
            words = (
                f"{relay} took it for {found['to']} and said: “{found['why']}”. "
                f"From here on its log tells the way.{moved}"
            )
            return Hop(at, "postfix", "hands it to another server", words, detail)
        case "deferred":
            why = meaning(found["why"])
            words = (
                f"Postfix keeps the letter, because {why}. It tries again by itself."
            )
            return Hop(at, "postfix", DEFERRED, words, detail, "wait")
    words = f"It cannot be delivered to {found['to']}: {meaning(found['why'])}."
    return Hop(at, "postfix", GIVEN_UP, words, detail, "no")


def _expired(at: float, line: Line, found: Found) -> Hop:
    words = "Postfix tried for five days. It sends the letter back to its sender."
    return Hop(at, "postfix", GIVEN_UP, words, str(line), "no")


def _notice(at: float, line: Line, found: Found) -> Hop:
    words = f"The sender gets a notice, which has a number of its own: {found[1]}."
    return Hop(at, "postfix", "tells the sender", words, str(line))


def _forwarded(at: float, line: Line, found: Found) -> Hop:
    words = f"A filter rule of the owner sends it on to {found[1]}."
    return Hop(at, "dovecot", "sends it on", words, str(line))


def _answered(at: float, line: Line, found: Found) -> Hop:
    words = f"The owner is away: {found[1]} gets the answer that was left for this."
    return Hop(at, "dovecot", "answers for the owner", words, str(line))


def _full(at: float, line: Line, found: Found) -> Hop:
    words = f"It could not be laid into {found[1]}: {found[2]}"
    return Hop(at, "dovecot", "cannot file it", words, str(line), "note")


ONWARD: tuple[tuple[str, str, Build], ...] = (
    (r"postfix/pickup", r"^\w+: uid=\d+ from=<([^>]*)>", _from_here),
    (
        r"postfix/(?:smtp|error|virtual|local)",
        r"^\w+: to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig>[^>]*)>, )?relay=(?P<relay>[^,]+), .*"
        r"delays=(?P<delays>[\d./]+), .*status=(?P<status>\w+) \((?P<why>.*)\)",
        _sent,
    ),
    (r"postfix/qmgr", r"^\w+: from=.* status=(?:expired|force-expired)", _expired),
    (r"postfix/bounce", r"^\w+: sender (?:non-delivery|delay)\S* notification: (\w+)", _notice),
    (r"dovecot", r"sieve: .*forwarded to <([^>]*)>", _forwarded),
    (r"dovecot", r"sieve: .*sent vacation response to <([^>]*)>", _answered),
    (r"dovecot", r"failed to store into mailbox '([^']+)': (.*)", _full),
)  # fmt: skip
