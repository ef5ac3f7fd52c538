"""`ispguide lab …`: the practice server, and what the world around it does to it.

Each command is one function of `ispguide.lab`; nothing is decided here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ispguide.cli.options import json_option

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

    for message in lab.friend.inbox(text):
        verdict = " ".join(f"{k}={v}" for k, v in message.verdict.items())
        click.echo(f"{message.content['From']} → {message.to}: {message.subject}")
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
def brute_force(service: str, tries: int, via: str) -> None:
    """Somebody tries wrong passwords at SERVICE: ssh, imaps, submissions, webmail …"""
    from ispguide import lab

    if service not in lab.spammer.SERVICES:
        raise click.BadParameter(f"It is one of {', '.join(lab.spammer.SERVICES)}.")
    seen = lab.spammer.brute_force(service, tries, via)
    now = "nobody answers him any more" if seen.shut else "he is still answered"
    click.echo(f"{seen.address} was told no {seen.tries} times; {now}.")


#: What it was called in the version before.
internet_.add_command(
    click.Command(
        "guess", callback=brute_force.callback, params=brute_force.params, hidden=True
    )
)


@internet_.command()
@click.argument("address")
def enlist(address: str) -> None:
    """Put ADDRESS on the block list."""
    from ispguide import lab

    lab.provider.block(address)


@internet_.command()
@click.argument("address")
def delist(address: str) -> None:
    """Take ADDRESS off the block list, as its removal page would."""
    from ispguide import lab

    lab.provider.unblock(address)


@internet_.command()
@click.argument("state", type=click.Choice(["down", "back"]))
def blocklist(state: str) -> None:
    """The block list answers nobody (down), or answers again (back)."""
    from ispguide import lab

    (lab.provider.blocklist_down if state == "down" else lab.provider.blocklist_back)()


@internet_.command()
@click.argument("state", type=click.Choice(["closed", "open"]))
def port25(state: str) -> None:
    """The server's provider closes port 25 to the world, or opens it again."""
    from ispguide import lab

    if state == "closed":
        lab.provider.close_port_25()
    else:
        lab.provider.open_port_25()


# `ispguide lab …`: the practice server on the command line.


INSTEAD = "Look around without a server: ./guide start --replay"


@click.group("lab")
def lab_() -> None:
    """The practice server and its practice internet."""


lab_.add_command(internet_)


def _lab_verb(name: str, text: str) -> None:
    @lab_.command(name, help=text)
    def verb() -> None:
        from ispguide import lab

        getattr(lab, name)(click.echo)


@lab_.command()
def up() -> None:
    """Start it; what is missing is built."""
    start_practice()


def start_practice() -> None:
    """The practice server; where it cannot be had, the replay is offered."""
    from ispguide import lab

    try:
        lab.up(click.echo)
    except lab.LabProblem as problem:
        do = f"{problem.do} {INSTEAD}".strip()
        raise lab.LabProblem(
            problem.is_, problem.should, do, problem.evidence, kind=problem.kind
        ) from problem


_lab_verb("down", "Stop and remove it; images stay.")
_lab_verb("reset", "A fresh, bare Debian 12 again.")


@lab_.command()
@json_option
def status(as_json: bool) -> None:
    """Whether it runs, and how it is reached."""
    from ispguide import lab

    found = lab.status().as_dict()
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(
        "The practice server runs."
        if found["running"]
        else "The practice server is off."
    )
    for seat in found["seats"] if found["running"] else ():
        click.echo(f"  {seat['hostname']} at {seat['address']}")


def _checkpoint_verb(name: str, text: str) -> None:
    @lab_.command(name, help=text)
    @click.argument("name")
    def verb(**words: str) -> None:
        from ispguide import lab

        getattr(lab, name)(words["name"], click.echo)


_checkpoint_verb("save", "Keep the practice server as it is now, under NAME.")
_checkpoint_verb("load", "Make the practice server what was kept under NAME.")
