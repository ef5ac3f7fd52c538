"""`ispguide people import` and `senders`: many at once, and who may send as whom."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ispguide.cli_options import ask_for_sudo, json_option, on_server
from ispguide.names import shown


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--do", "do", is_flag=True, help="Do it; without, only the plan is shown."
)
@on_server
def import_(file: Path, do: bool, server: str, ask_sudo: bool) -> None:
    """Take in people from FILE (CSV: address, password, limit, forward_to)."""
    from ispguide import tasks

    sudo, text = ask_for_sudo(ask_sudo), file.read_text(encoding="utf-8")
    if not do:
        click.echo(tasks.people_plan(tasks.HERE, text, server, sudo).words())
        click.echo("Nothing was done. Add --do to do it.")
        return

    def tell(done: int, of: int) -> None:
        click.echo(f"{done} of {of} …", err=True)

    plan, made = tasks.people_import(tasks.HERE, text, server, sudo, tell)
    click.echo(plan.words())
    if made:
        click.echo("Passwords that were made, shown this once:")
    for address, password in made.items():
        click.echo(f"{shown(address)}  {password}")


@click.command()
@json_option
@on_server
def senders(as_json: bool, server: str, ask_sudo: bool) -> None:
    """Who may send as whom."""
    from ispguide import tasks

    found = tasks.people_senders(tasks.HERE, server, ask_for_sudo(ask_sudo))
    if as_json:
        rows = {s.address: {"names": s.names, "locked": s.locked} for s in found}
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        also = ", ".join(map(shown, one.names)) or "no other name"
        click.echo(
            f"{shown(one.address)}: {'locked, so nothing' if one.locked else also}"
        )
