"""`ispguide backup`, `restore` and `move`: from a lost or an older server to this one."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ispguide.cli.options import (
    done_watching,
    json_option,
    on_server,
    watched,
)
from ispguide.cli.people import stdin_option, typed
from ispguide.engine.settings import Secret

if TYPE_CHECKING:
    from ispguide.tasks.base import OnServer


@click.group(invoke_without_command=True)
@on_server
@click.pass_context
def backup(context: click.Context, on: OnServer) -> None:
    """Make a backup now; with a word behind it: list, key, target."""
    if context.invoked_subcommand is None:
        from ispguide import tasks

        _tell(on(tasks.backup_now, watch=watched))


@backup.command(name="list")
@json_option
@on_server
def list_(as_json: bool, on: OnServer) -> None:
    """All backups, and how the last run went."""
    from ispguide import tasks

    found = on(tasks.backup_list)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        _tell(found)


def _tell(found: Any) -> None:
    done_watching()
    for one in found.snapshots:
        click.echo(f"{one.number}  {time.strftime('%a %d %b %Y %H:%M', time.localtime(one.time))}")  # fmt: skip
    state = found.state
    if state.get("ok"):
        size = f"{state['bytes'] / 2**20:.1f} MiB, {state['added'] / 2**20:.1f} MiB of it new"
        click.echo(f"The last one went well: {state['files']} files, {size}.")
    elif state:
        click.echo(f"The last one failed: {state['failed']}")
    click.echo(f"They are in {found.repository}.")


@backup.command()
@on_server
def key(on: OnServer) -> None:
    """The page for your drawer, with the password on it.  Nothing keeps it here."""
    from ispguide import tasks

    click.echo("\n".join(on(tasks.backup_key)))


@backup.command()
@on_server
def target(on: OnServer) -> None:
    """The other machine: the key to lay down there, and the fingerprint to compare."""
    from ispguide import tasks

    found = on(tasks.backup_target)
    if found is None:
        click.echo("The backups go into a folder of this server; there is no other.")
        return
    click.echo(f"Lay this key down at {found.machine}, in ~/.ssh/authorized_keys:")
    click.echo(found.public or "(made by the step backup.backup_target)")
    click.echo("It shows these fingerprints; compare them with what its provider says:")
    click.echo("\n".join(found.fingerprints) or "(it does not answer)")


@click.group()
def restore() -> None:
    """Bring something back from a backup."""


_from = click.option(
    "--from",
    "number",
    default="latest",
    show_default=True,
    help="A number of ./guide backup list.",
)


@restore.command()
@click.argument("address")
@_from
@on_server
def mailbox(address: str, number: str, on: OnServer) -> None:
    """The letters of one mailbox, into its folder Restored; nothing is overwritten."""
    from ispguide import tasks

    on(tasks.restore_mailbox, address, number, watch=watched)
    done_watching()
    click.echo(f"They are in the folder Restored of {address}.")


@restore.command(name="server")
@_from
@stdin_option
@on_server
def server_(number: str, password_stdin: bool, on: OnServer) -> None:
    """Everything, from the backups of a lost server onto a new one.

    It asks for the password of the backups, which lies in your drawer."""
    from ispguide import tasks

    secret = typed(password_stdin) or Secret(
        click.prompt("Password of the backups", hide_input=True, err=True)
    )
    on(tasks.restore_server, secret, number, watch=watched)
    done_watching()
    click.echo("Everything is back. Let the guide make the rest: ./guide apply")


@click.command()
@json_option
def drill(as_json: bool) -> None:
    """Lose the practice server, and bring everything back to a fresh one."""
    from ispguide.mail.backup.inventory import counted
    from ispguide.tasks.drill import BEFORE
    from ispguide.tasks.drill import drill as practise

    found = practise(watched)
    done_watching()
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo("\n".join([*counted(found.before), *found.differences]))
    equal = not found.differences
    click.echo("All of it is equal." if equal else "The last lines are not equal.")
    click.echo(f"The server as it was before: ./guide lab load {BEFORE}")
    sys.exit(0 if equal else 1)


# `ispguide move …`: from an older server to this one, on the command line.


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
    on: OnServer,
) -> None:
    """The next stage of the move from the older server that the settings name.

    It may be left at any stage: where it stands is looked up each time."""
    if context.invoked_subcommand:
        return
    from ispguide import tasks

    if look:
        found = on(tasks.move_look, watch=watched)
    else:
        found = on(tasks.move_next, again, watch=watched)
    done_watching()
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo("\n".join(_lines(found)))


def _lines(found: Any) -> list[str]:
    from ispguide.mail.migration import STAGES

    there, here = found.messages
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
    on: OnServer,
) -> None:
    """The letters of one mailbox at any provider, into the mailbox ADDRESS here.

    The password there is asked for, unseen, and forgotten afterwards."""
    from ispguide import tasks

    word = typed(password_stdin) or Secret(
        click.prompt(f"Password at {host}", hide_input=True, err=True)
    )
    on(tasks.move_mailbox, address, host, user, word, port, watch=watched)
    done_watching()
    click.echo(
        f"What was at {host} is in {address} now; fetch again as often as you like."
    )
