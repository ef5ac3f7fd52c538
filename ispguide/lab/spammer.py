"""spammer.test, and others who mean no good: forged senders, junk, bad addresses.

Every letter is sent with swaks from one of the spammer's three addresses, to the port
25 of the practice server or of friend.test.  What the other side said comes back.
Manual: swaks(1); GTUBE: https://spamassassin.apache.org/gtube/
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from importlib import resources

from ispguide.lab.engine import LabProblem
from ispguide.lab.filling import HIRED, MAIL, NAMELESS, SPAMMER, generic
from ispguide.lab.place import HOSTNAME
from ispguide.lab.practice import awake

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

JUNK = """Dear winner, your ACCOUNT was chosen! 100% FREE $$$ bonus, act NOW!!!
Click http://198.18.0.1/claim?id=1 and confirm your password to receive $4,500,000.
"""

#: The addresses by what is wrong with them: `listed` is on the block list and has a
#: name as providers give it to any line, `nameless` has no reverse name, and `hired`
#: is as it should be: a decent server that somebody broke into.
FROM = {"listed": SPAMMER, "nameless": NAMELESS, "hired": HIRED}


@dataclass(frozen=True)
class Said:
    """How a letter was received: the last answer, and the whole dialogue."""

    code: int
    text: str
    dialogue: str

    @property
    def taken(self) -> bool:
        """Whether the other side has it now."""
        return self.code == 250


def forge(
    to: str,
    sender: str = "anna@example.test",
    *,
    envelope: str = "",
    text: str = "Please pay the bill below today.\n",
    subject: str = "Your invoice",
    via: str = "hired",
    six: bool = False,
) -> Said:
    """A letter that says it is from `sender`; so does its envelope, or another.

    No signature, no right to that name."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(text)
    return _sent(message, to, envelope or sender, via, six)


def gtube(to: str, via: str = "hired") -> Said:
    """The letter that every filter must know as spam."""
    return forge(to, "sales@spammer.test", subject="Offer", text=GTUBE + "\n", via=via)


def junk(to: str, via: str = "listed") -> Said:
    """Spam as it comes, from the address that is on the block list."""
    return forge(to, "winner@spammer.test", subject="You WON", text=JUNK, via=via)


def _sent(message: EmailMessage, to: str, envelope: str, via: str, six: bool) -> Said:
    lab = awake()
    net = lab.network()
    address = (net.ip6 if six else net.ip4)(FROM[via])
    name = "mail" if via == "hired" else generic(net)
    server = "mail.friend.test" if to.endswith("@friend.test") else HOSTNAME
    argv = ["swaks", "-6" if six else "-4", "--server", server]
    argv += ["--local-interface", address, "--helo", f"{name}.spammer.test"]
    argv += ["--from", envelope, "--to", to, "--data", "-"]
    done = lab.internet.run(argv, message.as_bytes())
    answer = said((done.stdout + done.stderr).decode(errors="replace"))
    if not answer.code:
        raise LabProblem(
            f"{server} said nothing to the spammer.",
            "A mail server that is built answers on its port 25.",
            "Build it first, with ./guide apply; or begin the command again.",
            answer.dialogue,
        )
    return answer


def said(dialogue: str) -> Said:
    """The answer that decided, out of what swaks shows: a refusal, or the last 250."""
    found = re.findall(r"^<(?:\*\*|-) +(\d{3}) (.*)$", dialogue, re.M)
    refused = [row for row in found if row[0][0] in "45"]
    answers = [row for row in found if row[0] == "250"]
    code, text = (refused or answers[-1:] or [("0", dialogue.strip())])[0]
    return Said(int(code), text, dialogue)


# Somebody at spammer.test who tries passwords, at any door that asks for one.
#
# He has a list, which holds one wrong password, and hurries: several tries at once.  What
# he does runs in the practice internet's container, so he has an address of his own.
# Manuals: RFC 9051 (IMAP), RFC 4954 (SMTP AUTH), ssh(1).


#: Doors at which one can guess.
SERVICES = ("ssh", "imaps", "imap", "pop3s", "submissions", "submission", "webmail")


@dataclass(frozen=True)
class BruteForced:
    """From where, how often he was told no, and whether nobody answers him now."""

    address: str
    tries: int
    shut: bool


def brute_force(
    service: str, tries: int = 10, via: str = "nameless", six: bool = False
) -> BruteForced:
    """Try a wrong password so many times at `service`, then look whether he is shut out;
    with no try at all, only look."""
    lab = awake()
    net = lab.network()
    place = net.ip6 if six else net.ip4
    program = resources.files("ispguide.lab").joinpath("brute_force.py").read_bytes()
    argv = ["python3", "-I", "-", service, place(MAIL), place(FROM[via]), str(tries)]
    done = lab.internet.run(argv, program)
    if done.returncode:
        raise LabProblem(
            f"Nobody could guess at {service}.",
            "A server that is built asks for a password there.",
            "Build it first, with ./guide apply.",
            done.stderr.decode(errors="replace"),
        )
    found = json.loads(done.stdout)
    return BruteForced(place(FROM[via]), found["tries"], found["shut"])
