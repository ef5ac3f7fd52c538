"""Commands for reading: history, show, export.  None of them changes anything."""

from __future__ import annotations

import json
from typing import Any

import click

from ispguide.cli_options import ask_for_sudo, json_option, on_server


@click.command()
@json_option
@on_server
def history(as_json: bool, server: str, ask_sudo: bool) -> None:
    """The ledger of the server: who changed what, and when."""
    from ispguide import tasks
    from ispguide.undoing import history_lines

    ledger = tasks.history(tasks.HERE, server, ask_for_sudo(ask_sudo))
    text = (
        json.dumps(ledger, ensure_ascii=False)
        if as_json
        else "\n".join(history_lines(ledger))
    )
    click.echo(text)


@click.command()
@click.argument("what", nargs=-1)
@click.option("--server", default="practice", show_default=True)
def show(what: tuple[str, ...], server: str) -> None:
    """The chapter as text: why, what should be true, and the commands by hand."""
    from ispguide.story import markdown

    guide = _unconnected(server)
    click.echo(markdown(guide.select(*what), guide.settings))


@click.command()
@click.argument("what", nargs=-1)
@click.option(
    "--format", "form", default="md", type=click.Choice(["html", "md", "sh", "zone"])
)
@click.option("--look", is_flag=True, help="A report without running the proofs.")
@on_server
def export(
    what: tuple[str, ...], form: str, look: bool, server: str, ask_sudo: bool
) -> None:
    """The report to keep (html, md), for which every proof is run; the guide as its
    commands (sh); the DNS records as a zone file (zone)."""
    from ispguide.story import script

    if form == "sh":
        guide = _unconnected(server)
        click.echo(script(guide.select(*what), guide.settings))
        return
    from ispguide import tasks

    sudo = ask_for_sudo(ask_sudo)
    if form == "zone":
        click.echo(tasks.dns_zone(tasks.HERE, server, sudo), nl=False)
        return
    from ispguide.notebook.graduation.markdown import markdown
    from ispguide.notebook.graduation.page import html

    make = html if form == "html" else markdown
    click.echo(make(tasks.graduate(tasks.HERE, server, sudo, not look)), nl=False)


def _unconnected(server: str) -> Any:
    """A guide for reading: no connection is made."""
    from ispguide import tasks
    from ispguide.chapters import GUIDE
    from ispguide.guide import Guide
    from ispguide.profile import names
    from ispguide.settings import Settings

    if server in names():
        return tasks.open_guide(server)
    sample = Settings("mail.example.test", "example.test", "postmaster@example.test")
    return Guide(None, sample, GUIDE, None)  # type: ignore[arg-type]
