"""`ispguide lab …`: the practice server on the command line."""

from __future__ import annotations

import json

import click

from ispguide.cli_internet import internet_
from ispguide.cli_options import json_option

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
