"""`ispguide rotate` and `ispguide reports`: keys that change, and what others write."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from ispguide.cli_options import ask_for_sudo, json_option, on_server


@click.command()
@click.argument("domain", default="")
@click.option("--look", is_flag=True, help="Only say where it stands.")
@json_option
@on_server
def rotate(domain: str, look: bool, as_json: bool, server: str, ask_sudo: bool) -> None:
    """The next stage on the way to another DKIM key, of DOMAIN or the first domain.

    It may be left at any stage: where it stands is looked up each time."""
    from ispguide import tasks

    sudo = ask_for_sudo(ask_sudo)
    found = (
        tasks.dkim_turns(tasks.HERE, server, sudo)
        if look
        else tasks.dkim_rotate(tasks.HERE, domain, server, sudo)
    )
    mine = [turn for turn in found if domain in ("", turn.domain)]
    if as_json:
        click.echo(json.dumps([asdict(turn) for turn in mine]))
        return
    for turn in mine:
        click.echo("\n".join(_lines(turn)))


def _lines(turn: Any) -> list[str]:
    from ispguide.dkim.rotation import STAGES, spoken

    key = f" signs with {turn.signing.selector}" if turn.signing else ""
    next_ = STAGES.get(turn.next, "look again")
    wait = f" ({spoken(turn.wait)})" if turn.wait else ""
    return [f"{turn.domain}{key}.", f"    Next: {next_}{wait}. {turn.why}"]


@click.command()
@json_option
@on_server
def reports(as_json: bool, server: str, ask_sudo: bool) -> None:
    """What others report about letters in your name (DMARC)."""
    from ispguide import tasks
    from ispguide.dmarc.summing import advice, lines

    found = tasks.dmarc_reports(tasks.HERE, server, ask_for_sudo(ask_sudo))
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo("\n".join(lines(found.reports, found.own)))
    click.echo(advice(found.reports, found.own, found.policy))
