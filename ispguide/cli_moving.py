"""`ispguide move …`: from an older server to this one, on the command line."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from ispguide.cli_options import (
    ask_for_sudo,
    done_watching,
    json_option,
    on_server,
    watched,
)
from ispguide.cli_people import stdin_option, typed
from ispguide.settings import Secret


@click.group(invoke_without_command=True)
@click.option("--look", is_flag=True, help="Only count, and say where it stands.")
@click.option(
    "--again", is_flag=True, help="Fetch letters once more, whatever comes next."
)
@json_option
@on_server
@click.pass_context
def move(
    context: click.Context,
    look: bool,
    again: bool,
    as_json: bool,
    server: str,
    ask_sudo: bool,
) -> None:
    """The next stage of the move from the older server that the settings name.

    It may be left at any stage: where it stands is looked up each time."""
    if context.invoked_subcommand:
        return
    from ispguide import tasks

    sudo = ask_for_sudo(ask_sudo)
    if look:
        found = tasks.move_look(tasks.HERE, server, sudo, watched)
    else:
        found = tasks.move_next(tasks.HERE, again, server, sudo, watched)
    done_watching()
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo("\n".join(_lines(found)))


def _lines(found: Any) -> list[str]:
    from ispguide.moving.stages import STAGES

    there, here = found.letters
    late = [r for r in found.rows if not r.whole]
    return [
        *(f"{r.address}: {r.there} there, {r.here} here" for r in late),
        f"{len(found.rows)} mailboxes: {there} letters there, {here} here.",
        f"Next: {STAGES[found.next]}. {found.why}",
    ]


@move.command("mailbox")
@click.argument("address")
@click.option("--from", "host", required=True, help="Where IMAP answers over there.")
@click.option("--user", default="", help="The name there; the address by itself.")
@click.option("--port", default=993, show_default=True)
@stdin_option
@on_server
def moved_mailbox(
    address: str,
    host: str,
    user: str,
    port: int,
    password_stdin: bool,
    server: str,
    ask_sudo: bool,
) -> None:
    """The letters of one mailbox at any provider, into the mailbox ADDRESS here.

    The password there is asked for, unseen, and forgotten afterwards."""
    from ispguide import tasks

    sudo = ask_for_sudo(ask_sudo)
    word = typed(password_stdin) or Secret(
        click.prompt(f"Password at {host}", hide_input=True, err=True)
    )
    tasks.move_mailbox(
        tasks.HERE, address, host, user, word, port, server, sudo, watched
    )
    done_watching()
    click.echo(
        f"What was at {host} is in {address} now; fetch again as often as you like."
    )
