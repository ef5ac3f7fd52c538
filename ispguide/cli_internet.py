"""`ispguide lab internet …`: what the world around the practice server does to it.

Each command is one function of `ispguide.lab`; nothing is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ispguide.lab.spammer import Said

VIA = click.Choice(["listed", "nameless", "hired"])


@click.group("internet")
def internet_() -> None:
    """The practice internet: friend.test, spammer.test, the block list."""


@internet_.command()
@click.argument("text", default="")
def inbox(text: str) -> None:
    """The letters at friend.test, and its verdict on each; those with TEXT in them."""
    from ispguide import lab

    for letter in lab.friend.inbox(text):
        verdict = " ".join(f"{k}={v}" for k, v in letter.verdict.items())
        click.echo(f"{letter.message['From']} → {letter.to}: {letter.subject}")
        click.echo(f"    {verdict or 'from its own people: not judged'}")


@internet_.command()
@click.argument("to")
@click.option("--subject", default="Tea on Sunday")
def write(to: str, subject: str) -> None:
    """Ben at friend.test writes to TO."""
    from ispguide import lab

    click.echo(f"Sent: {lab.friend.send(to, subject)}")


@internet_.command()
@click.argument("to")
@click.option("--sender", default="anna@example.test", show_default=True)
@click.option("--via", type=VIA, default="hired", show_default=True)
def forge(to: str, sender: str, via: str) -> None:
    """The spammer writes to TO in the name of another.

    From an address on the block list, from one without a reverse name, or from a
    decent server that he has broken into."""
    from ispguide import lab

    _tell(lab.spammer.forge(to, sender, via=via))


@internet_.command()
@click.argument("to")
def junk(to: str) -> None:
    """The spammer sends spam to TO, from the address that is on the block list."""
    from ispguide import lab

    _tell(lab.spammer.junk(to))


@internet_.command()
@click.argument("to")
def gtube(to: str) -> None:
    """The letter that every filter must know as spam, to TO."""
    from ispguide import lab

    _tell(lab.spammer.gtube(to))


def _tell(said: Said) -> None:
    word = "Taken" if said.taken else "Refused"
    click.echo(f"{word}: {said.code} {said.text}")


@internet_.command()
@click.argument("service")
@click.option("--tries", default=10, show_default=True)
@click.option("--via", type=VIA, default="nameless", show_default=True)
def guess(service: str, tries: int, via: str) -> None:
    """Somebody tries wrong passwords at SERVICE: ssh, imaps, submissions, webmail …"""
    from ispguide import lab

    if service not in lab.guesser.SERVICES:
        raise click.BadParameter(f"It is one of {', '.join(lab.guesser.SERVICES)}.")
    seen = lab.guesser.guess(service, tries, via)
    now = "nobody answers him any more" if seen.shut else "he is still answered"
    click.echo(f"{seen.address} was told no {seen.tries} times; {now}.")


@internet_.command()
@click.argument("address")
def enlist(address: str) -> None:
    """Put ADDRESS on the block list."""
    from ispguide import lab

    lab.blocklist.add(address)


@internet_.command()
@click.argument("address")
def delist(address: str) -> None:
    """Take ADDRESS off the block list, as its removal page would."""
    from ispguide import lab

    lab.blocklist.delist(address)


@internet_.command()
@click.argument("state", type=click.Choice(["down", "back"]))
def blocklist(state: str) -> None:
    """The block list answers nobody (down), or answers again (back)."""
    from ispguide import lab

    (lab.blocklist.down if state == "down" else lab.blocklist.back)()


@internet_.command()
@click.argument("state", type=click.Choice(["closed", "open"]))
def port25(state: str) -> None:
    """The server's provider closes port 25 to the world, or opens it again."""
    from ispguide import lab

    if state == "closed":
        lab.provider.close_port_25()
    else:
        lab.provider.open_port_25()
