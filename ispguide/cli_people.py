"""`ispguide people …`: domains, mailboxes and aliases on the command line."""

from __future__ import annotations

import json
import sys

import click

from ispguide.cli_options import ask_for_sudo, json_option, on_server
from ispguide.settings import Secret


@click.group()
def people() -> None:
    """Domains, mailboxes and aliases."""


def _password(stdin: bool) -> Secret | None:
    """The first line of standard input, in full: no sign of it is special."""
    if not stdin:
        return None
    return Secret(
        sys.stdin.buffer.readline().decode().removesuffix("\n").removesuffix("\r")
    )


def _tell_password(address: str, made: str) -> None:
    if made:
        click.echo(f"The password of {address}, shown this once: {made}")


_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read it from standard input."
)


@people.command()
@click.argument("what")
@_stdin
@on_server
def add(what: str, password_stdin: bool, server: str, ask_sudo: bool) -> None:
    """Add a mailbox (anna@example.org) or a domain (example.org)."""
    from ispguide import tasks

    sudo = ask_for_sudo(ask_sudo)
    made = tasks.people_add(tasks.HERE, what, _password(password_stdin), server, sudo)
    click.echo(f"{what} is there.")
    _tell_password(what, made)


@people.command()
@click.argument("address")
@_stdin
@on_server
def password(address: str, password_stdin: bool, server: str, ask_sudo: bool) -> None:
    """Give a mailbox another password."""
    from ispguide import tasks

    sudo = ask_for_sudo(ask_sudo)
    made = tasks.people_password(
        tasks.HERE, address, _password(password_stdin), server, sudo
    )
    click.echo(f"{address} has another password.")
    _tell_password(address, made)


@people.command()
@click.argument("source")
@click.argument("destination")
@on_server
def alias(source: str, destination: str, server: str, ask_sudo: bool) -> None:
    """Mail to SOURCE (an address, or @domain) goes to DESTINATION."""
    from ispguide import tasks

    tasks.people_alias(tasks.HERE, source, destination, server, ask_for_sudo(ask_sudo))
    click.echo(f"Mail to {source} goes to {destination}.")


@people.command()
@click.argument("what")
@on_server
def remove(what: str, server: str, ask_sudo: bool) -> None:
    """Remove a mailbox, an alias or a domain.  Mail on disk stays."""
    from ispguide import tasks

    tasks.people_remove(tasks.HERE, what, server, ask_for_sudo(ask_sudo))
    click.echo(f"{what} is gone. Its mail, if any, is still in /var/vmail.")


@people.command("list")
@json_option
@on_server
def list_(as_json: bool, server: str, ask_sudo: bool) -> None:
    """Who and what is on this server."""
    from ispguide import tasks

    lists = tasks.people_list(tasks.HERE, server, ask_for_sudo(ask_sudo))
    if as_json:
        click.echo(json.dumps(lists, ensure_ascii=False))
        return
    for name, rows in lists.items():
        click.echo(f"{name}:")
        for row in rows:
            click.echo("  " + " → ".join(row[:2] if name == "aliases" else row[:1]))
