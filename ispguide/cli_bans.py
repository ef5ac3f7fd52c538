"""`ispguide bans`: who is shut out, and to let one in again."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from ispguide.cli_options import ask_for_sudo, json_option, on_server


@click.group(invoke_without_command=True)
@json_option
@on_server
@click.pass_context
def bans(context: click.Context, as_json: bool, server: str, ask_sudo: bool) -> None:
    """Who is shut out now, because they guessed passwords; see chapter 16."""
    if context.invoked_subcommand is None:
        from ispguide import tasks

        _show(tasks.bans_list(tasks.HERE, server, ask_for_sudo(ask_sudo)), as_json)


@bans.command()
@click.argument("address")
@json_option
@on_server
def lift(address: str, as_json: bool, server: str, ask_sudo: bool) -> None:
    """Let ADDRESS in again, at once."""
    from ispguide import tasks

    left = tasks.bans_lift(tasks.HERE, address, server, ask_for_sudo(ask_sudo))
    if not as_json:
        click.echo(f"{address} is let in again.")
    _show(left, as_json)


def _show(found: Any, as_json: bool) -> None:
    from ispguide.measures.bans import ban_lines

    if as_json:
        click.echo(json.dumps([asdict(ban) for ban in found]))
    else:
        click.echo("\n".join(ban_lines(found)))
