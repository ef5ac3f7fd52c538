"""The commands health and trace: how the server is, and where a letter went."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ispguide.cli_options import ask_for_sudo, json_option, on_server

if TYPE_CHECKING:
    from ispguide.journey.way import Way


@click.command()
@json_option
@on_server
def health(as_json: bool, server: str, ask_sudo: bool) -> None:
    """How the server is: fine, look or act, and what to do.  Exit 2: something to act on."""
    from ispguide import tasks
    from ispguide.measures.health import JUDGED, health_words, worst
    from ispguide.measures.queue import queue_words

    seen, waits = tasks.health(tasks.HERE, server, ask_for_sudo(ask_sudo))
    if as_json:
        found = {"state": worst(seen), "looks": [asdict(one) for one in seen],
                 "queue": [asdict(one) for one in waits]}  # fmt: skip
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo(health_words(seen))
        for one in seen:
            sign, word = JUDGED[one.state]
            click.echo(f"{sign} {word:14} {one.what:12} {one.words} {one.do}".rstrip())
        if waits:
            click.echo(queue_words(waits))
    sys.exit(2 if worst(seen) == "act" else 0)


@click.command()
@click.argument("what")
@click.option(
    "--days", default=0, help="How far back; by itself as long as the log is kept."
)
@json_option
@on_server
def trace(what: str, days: int, as_json: bool, server: str, ask_sudo: bool) -> None:
    """The way of a letter.  WHAT: an address, a Message-ID or a queue id."""
    from ispguide import tasks

    ways = tasks.trace(tasks.HERE, what, server, ask_for_sudo(ask_sudo), days)
    if as_json:
        click.echo(
            json.dumps(
                [asdict(one) | {"fate": one.fate} for one in ways], ensure_ascii=False
            )
        )
        return
    short = len(ways) > FEW
    click.echo("\n\n".join(as_text(one, short) for one in ways) or NOTHING)
    if short:
        click.echo(
            f"\n{len(ways)} letters, so without their hops: ./guide trace NUMBER tells them."
        )


#: So many letters are told with all their hops.
FEW = 3
NOTHING = (
    "The journal knows no such letter. Either nobody brought it here, or it is longer ago "
    "than the journal is kept. Ask its sender for the answer that his server got."
)


def as_text(one: Way, short: bool = False) -> str:
    """The way of a letter in plain lines, with the clock of this computer."""
    from ispguide.journey import HOP_STATES, STATIONS
    from ispguide.journey.way import FATES

    sign, word = FATES[one.fate]
    day = time.strftime("%d %b %Y, %H:%M:%S", time.localtime(one.begin))
    rows = [
        f"{sign} {word} · {day} · from {one.sender or 'unknown'} · {' '.join(one.names)}"
    ]
    for end in one.ends:
        rows.append(f"  {FATES[end.fate][0]} {end.to or 'everybody'}: {end.words}")
    for hop in () if short else one.hops:
        clock = time.strftime("%H:%M:%S", time.localtime(one.begin + hop.at))
        rows.append(
            f"    {clock}  {HOP_STATES[hop.state][0]} {STATIONS[hop.who]} {hop.what} · {hop.words}"
        )
    return "\n".join(rows)
