"""`ispguide people …`: domains, mailboxes and aliases, one by one or a file of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ispguide.cli.options import json_option, on_server
from ispguide.engine.names import to_unicode
from ispguide.engine.settings import Secret

if TYPE_CHECKING:
    from ispguide.tasks.base import OnServer


@click.group()
def people() -> None:
    """Domains, mailboxes and aliases."""


def typed(stdin: bool) -> Secret | None:
    """The first line of standard input, in full: no sign of it is special."""
    if not stdin:
        return None
    return Secret(
        sys.stdin.buffer.readline().decode().removesuffix("\n").removesuffix("\r")
    )


def _tell_password(address: str, made: str) -> None:
    if made:
        click.echo(f"The password of {address}, shown this once: {made}")


stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read it from standard input."
)


@people.command()
@click.argument("what")
@stdin_option
@on_server
def add(what: str, password_stdin: bool, on: OnServer) -> None:
    """Add a mailbox (anna@example.org) or a domain (example.org)."""
    from ispguide import tasks

    made = on(tasks.people_add, what, typed(password_stdin))
    click.echo(f"{what} is there.")
    _tell_password(what, made)


@people.command()
@click.argument("address")
@stdin_option
@on_server
def password(address: str, password_stdin: bool, on: OnServer) -> None:
    """Give a mailbox another password."""
    from ispguide import tasks

    made = on(tasks.people_password, address, typed(password_stdin))
    click.echo(f"{address} has another password.")
    _tell_password(address, made)


@people.command()
@click.argument("source")
@click.argument("destination")
@on_server
def alias(source: str, destination: str, on: OnServer) -> None:
    """Mail to SOURCE (an address, or @domain) goes to DESTINATION."""
    from ispguide import tasks

    on(tasks.people_alias, source, destination)
    click.echo(f"Mail to {source} goes to {destination}.")


@people.command()
@click.argument("address")
@click.argument("limit")
@on_server
def quota(address: str, limit: str, on: OnServer) -> None:
    """What a mailbox may hold: LIMIT is like "500 MB" or "2 GB", or none."""
    from ispguide import tasks
    from ispguide.mail.people.things import limit as words

    size = on(tasks.people_quota, address, limit)
    click.echo(f"{address} has {words(size)} now.")


@people.command()
@click.argument("address", default="")
@on_server
def recount(address: str, on: OnServer) -> None:
    """Add up anew what lies in a mailbox, or in all of them."""
    from ispguide import tasks

    on(tasks.people_recount, address)
    click.echo(f"{address or 'Every mailbox'} was counted anew.")


@people.command()
@click.argument("source")
@click.argument("destination")
@on_server
def forget(source: str, destination: str, on: OnServer) -> None:
    """Mail to SOURCE does not go to DESTINATION any more."""
    from ispguide import tasks

    on(tasks.people_forget, source, destination)
    click.echo(f"Mail to {source} does not go to {destination} any more.")


@people.command()
@click.argument("address")
@on_server
def lock(address: str, on: OnServer) -> None:
    """Let nobody log in to a mailbox.  Mail for it comes in all the same."""
    from ispguide import tasks

    on(tasks.people_enable, address, False)
    click.echo(f"Nobody can log in as {address}; mail for it still comes in.")


@people.command()
@click.argument("address")
@on_server
def unlock(address: str, on: OnServer) -> None:
    """Let the owner of a mailbox log in again."""
    from ispguide import tasks

    on(tasks.people_enable, address, True)
    click.echo(f"{address} can log in again, with the password it had.")


@people.command()
@click.argument("what")
@click.option("--with-mail", is_flag=True, help="Its letters too, for good.")
@on_server
def remove(what: str, with_mail: bool, on: OnServer) -> None:
    """Remove a mailbox, an address's forwardings or a domain.  Mail on disk stays."""
    from ispguide import tasks

    on(tasks.people_remove, what, with_mail=with_mail)
    mail = (
        "and so are its letters"
        if with_mail
        else "Its mail, if any, is still in /var/vmail"
    )
    click.echo(f"{what} is gone{', ' if with_mail else '. '}{mail}.")


@people.command("list")
@json_option
@on_server
def list_(as_json: bool, on: OnServer) -> None:
    """Who and what is on this server."""
    from ispguide import tasks

    lists = on(tasks.people_list)
    if as_json:
        click.echo(json.dumps(lists, ensure_ascii=False))
        return
    from ispguide.mail.people.things import in_words

    for name, rows in lists.items():
        click.echo(f"{name}:")
        for row in rows:
            click.echo(f"  {in_words(name, row)}")


# `ispguide people import` and `senders`: many at once, and who may send as whom.


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--do", "do", is_flag=True, help="Do it; without, only the plan is shown."
)
@on_server
def import_(file: Path, do: bool, on: OnServer) -> None:
    """Take in people from FILE (CSV: address, password, limit, forward_to)."""
    from ispguide import tasks

    text = file.read_text(encoding="utf-8")
    if not do:
        click.echo(on(tasks.people_plan, text).words())
        click.echo("Nothing was done. Add --do to do it.")
        return

    def tell(done: int, of: int) -> None:
        click.echo(f"{done} of {of} …", err=True)

    plan, made = on(tasks.people_import, text, tell=tell)
    click.echo(plan.words())
    if made:
        click.echo("Passwords that were made, shown this once:")
    for address, password in made.items():
        click.echo(f"{to_unicode(address)}  {password}")


@click.command()
@json_option
@on_server
def senders(as_json: bool, on: OnServer) -> None:
    """Who may send as whom."""
    from ispguide import tasks

    found = on(tasks.people_senders)
    if as_json:
        rows = {s.address: {"names": s.names, "locked": s.locked} for s in found}
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        also = ", ".join(map(to_unicode, one.names)) or "no other name"
        click.echo(
            f"{to_unicode(one.address)}: {'locked, so nothing' if one.locked else also}"
        )
