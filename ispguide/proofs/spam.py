"""Proofs about rspamd: what it refuses, marks, files into Junk and learns.

Sources: https://rspamd.com/doc/ (milter headers, actions, statistics), RFC 6851
(MOVE), RFC 6785 (imapsieve).
"""

from __future__ import annotations

import random
import re

from ispguide.engine.actions import quote
from ispguide.proofs.base import Context, Refused, Verdict, need, proof
from ispguide.proofs.messages import (
    FOREIGN,
    SENDER_ELSEWHERE,
    bring,
    head,
    received,
    token,
    wait_for,
)

#: The test for unsolicited bulk mail every filter knows, in two pieces so that no
#: filter minds this file: https://spamassassin.apache.org/gtube/
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@proof
def gtube_refused(ctx: Context) -> Verdict:
    """What is certainly spam is refused while its sender still waits."""
    mark = token()
    said = bring(ctx, mark, text=f"{GTUBE}\n")
    return 500 <= said.code <= 599, f"The end of the mail was answered {said.text!r}"


@proof
def headers_added(ctx: Context) -> Verdict:
    """A mail from outside carries rspamd's judgement."""
    mark = token()
    need(bring(ctx, mark), "The letter")
    header = head(received(ctx, mark)[1])
    if mark not in header:
        return False, "The letter did not reach the mailbox within 15 s."
    result = re.search(r"^X-Spamd-Result: *(.{0,60})", header, re.M)
    if not result:
        return False, "The letter arrived without a line X-Spamd-Result."
    return True, f"X-Spamd-Result: {result[1]}…"


@proof
def forged_spam_header_ignored(ctx: Context) -> Verdict:
    """Only our own rspamd may call a mail spam, not whoever wrote it."""
    mark = token()
    need(bring(ctx, mark, more="X-Spam: Yes\n"), "The letter")
    folder, mail = received(ctx, mark)
    if not folder:
        return False, "The letter did not reach the mailbox within 15 s."
    if re.search(r"SPAM_FLAG ?\((?!0\.00)", mail):
        return False, "rspamd itself counted the line: its rule SPAM_FLAG gave points."
    score = points(mail)
    if folder == "Junk" and score and score >= ctx.settings.junk_score:
        return None, f"rspamd itself gave this letter {score} points."
    return folder == "INBOX", f"A letter that calls itself spam lies in {folder}."


@proof
def spam_to_junk(ctx: Context) -> Verdict:
    """Probable spam is taken, marked and put where it does not disturb.

    How much the network adds (a home line without a name of its own costs points)
    nobody knows beforehand: what is refused as certain spam is tried milder."""
    for mail in (rude, careless):
        mark = token()
        with ctx.inbound_smtp() as smtp:
            said = smtp.deliver(SENDER_ELSEWHERE, ctx.address, mail(mark))
        if not 500 <= said.code <= 599:
            break
    need(said, "Even a mail that is only careless")
    folder, kept = received(ctx, mark, key="TEXT")
    score = points(kept)
    judged = "nobody judged" if score is None else f"with {score} points"
    seen = f"A mail {judged} lies in {folder or 'no folder'}."
    if folder == "INBOX" and score is not None and score < ctx.settings.junk_score:
        return None, f"{seen} That is too little for Junk."
    return folder == "Junk", seen


def rude(mark: str) -> str:
    """No Message-ID, To, Date or Subject and a nonsense From: 8.9 points in Debian's
    rspamd 3.4, more where the sender's network is judged too."""
    return f"From: x\n\n{mark}\n"


def careless(mark: str) -> str:
    """No Message-ID and Date, and for somebody else: 7.5 points likewise."""
    return f"From: <{SENDER_ELSEWHERE}>\nTo: <{FOREIGN}>\nSubject: {mark}\n\n{mark}\n"


def points(mail: str) -> float | None:
    """The score rspamd wrote into the header."""
    found = re.search(r"^X-Spamd-Result:[^[]*\[(-?[\d.]+) /", head(mail), re.M)
    return float(found[1]) if found else None


def long_message(mark: str) -> str:
    """New words every time: rspamd learns no text twice, and none below 11 words."""
    dice = random.Random(mark)
    alphabet = "abcdefghijklmnoprstuvw"
    words = ("".join(dice.choices(alphabet, k=7)) for _ in range(40))
    return f"{' '.join(words)}\n"


def moved(ctx: Context, mark: str, *ways: tuple[str, str]) -> None:
    """A new letter, dragged from folder to folder as a person does it."""
    need(bring(ctx, mark, text=long_message(mark)), "The letter")
    with ctx.reader() as imap:
        if not wait_for(imap, mark, ways[0][0])[0]:
            raise Refused(f"The letter did not reach {ways[0][0]} within 15 s.")
        for source, target in ways:
            uid = imap.find(source, mark)[0]
            need(imap.command(f"UID MOVE {uid} {target}"), f"Moving to {target}")


def learned(ctx: Context, mark: str) -> list[str]:
    """What rspamd says it learned from the letter, in order: spam, ham."""
    pattern = quote(f"learned message as .*{mark}")
    said = ctx.tell(
        f"{{ journalctl -u rspamd --since=-5min -o cat --no-pager -q; "
        f"tail -n 5000 /var/log/rspamd/rspamd.log; }} 2>/dev/null | grep -e {pattern}"
    )
    return re.findall(r"learned message as (spam|ham)", said.out)


@proof
def junk_teaches(ctx: Context) -> Verdict:
    """Dragged to Junk a letter teaches spam, dragged back it teaches ham.

    The scripts run before the server answers MOVE, so there is nothing to wait for."""
    mark = token()
    moved(ctx, mark, ("INBOX", "Junk"), ("Junk", "INBOX"))
    seen = learned(ctx, mark)
    return seen == [
        "spam",
        "ham",
    ], f"rspamd learned {', then '.join(seen) or 'nothing'}"


@proof
def trash_teaches_nothing(ctx: Context) -> Verdict:
    """Emptying Junk into Trash says nothing about a letter's worth."""
    mark = token()
    moved(ctx, mark, ("INBOX", "Junk"), ("Junk", "Trash"))
    seen = learned(ctx, mark)
    if "spam" not in seen:
        return None, "Junk itself teaches nothing yet."
    return "ham" not in seen, f"rspamd learned {', then '.join(seen)}"
