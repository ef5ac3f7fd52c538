"""`ispguide smarthost …`: through whom outgoing mail leaves, on the command line."""

from __future__ import annotations

import click

from ispguide.cli_options import ask_for_sudo, on_server
from ispguide.cli_people import stdin_option, typed
from ispguide.errors import GuideError
from ispguide.settings import Secret, Settings
from ispguide.smarthost import left_behind

NEXT = "Now make it so: ./guide apply sending dns"


@click.command()
@click.argument("where", metavar="HOST[:PORT]", default="")
@click.option("--user", default="", help="The name for the login there.")
@click.option("--spf", default="", help="What its provider says to write into SPF.")
@click.option("--off", is_flag=True, help="Mail leaves by itself again.")
@stdin_option
@on_server
def smarthost(
    where: str,
    user: str,
    spf: str,
    off: bool,
    password_stdin: bool,
    server: str,
    ask_sudo: bool,
) -> None:
    """Let all outgoing mail leave through HOST, with a login.

    The port is 587 where none is said.  The password is asked for, unseen; leave it
    empty to keep the one that the server knows already.
    """
    from ispguide import tasks

    if off == bool(where):
        raise GuideError(
            "It was not said what to do.",
            "Either a smarthost is named, or there is to be none.",
            "./guide smarthost HOST --user NAME, or ./guide smarthost --off",
            kind="not-said",
        )
    sudo = ask_for_sudo(ask_sudo)
    if off:
        both = tasks.smarthost_off(tasks.HERE, server, sudo)
        _kept("Mail is to leave by itself.", both)
        return
    secret = typed(password_stdin) or (None if password_stdin else _asked(where))
    both = tasks.smarthost_use(tasks.HERE, where, user, secret, spf, server, sudo)
    _kept(f"All mail is to leave through {where}.", both)


def _kept(said: str, both: tuple[Settings, Settings]) -> None:
    click.echo(f"{said} {NEXT}")
    if left := left_behind(*both):
        click.echo(left)


def _asked(where: str) -> Secret | None:
    text = click.prompt(
        f"Password at {where} (empty: as before)",
        default="",
        show_default=False,
        hide_input=True,
        err=True,
    )
    return Secret(text) if text else None
