"""The command line: parses words, calls tasks, prints the Report.

Exit codes: 0 all true; 2 gaps (check); 1 it could not look, or a finding failed.
click parses, because Invoke's parser cannot take several positional words.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ispguide import __version__
from ispguide.errors import GuideError
from ispguide.settings import Secret

_DONE_WATCHING = "\r\033[K"


class Guarded(click.Group):
    """Every GuideError becomes its sentence and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except GuideError as error:
            for part in (error.is_, error.should, error.do):
                if part:
                    click.echo(part, err=True)
            if error.evidence.strip():
                click.echo(
                    "\n  " + error.evidence.strip().replace("\n", "\n  "), err=True
                )
            context.exit(1)


def main() -> None:
    """Entry point; ./guide passes every word on to here."""
    cli(args=sys.argv[1:] or ["start"], prog_name="ispguide")


@click.group(cls=Guarded)
@click.version_option(__version__)
def cli() -> None:
    """A mail server of your own on Debian 12, built and proved step by step."""


def _on_server(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--ask-sudo",
        is_flag=True,
        help="Ask for the sudo password of the server's user.",
    )(command)
    return click.option(
        "--server", default="practice", show_default=True, help="Which profile."
    )(command)


def _as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="One JSON object.")(
        command
    )


def _sudo(ask: bool) -> Secret | None:
    return (
        Secret(click.prompt("sudo password", hide_input=True, err=True))
        if ask
        else None
    )


def _watch(line: str) -> None:
    """Progress goes to stderr, on one line where somebody sits before it."""
    if sys.stderr.isatty():
        click.echo(_DONE_WATCHING + line[:100], err=True, nl=False)


def _show(report: Any, as_json: bool, gap_code: int) -> None:
    if sys.stderr.isatty():
        click.echo(_DONE_WATCHING, err=True, nl=False)
    click.echo(
        json.dumps(report.as_dict(), ensure_ascii=False) if as_json else report.text()
    )
    sys.exit(0 if report.ok else gap_code)


@cli.command()
@click.argument("what", nargs=-1)
@click.option("--prove", is_flag=True, help="Also run the proofs, which send mail.")
@_as_json
@_on_server
def check(
    what: tuple[str, ...], prove: bool, as_json: bool, server: str, ask_sudo: bool
) -> None:
    """Look, and change nothing.  Exit 0: all true, 2: gaps, 1: could not look."""
    from ispguide import tasks

    sudo = _sudo(ask_sudo)
    report = tasks.look(tasks.HERE, what, server, sudo)
    if prove:
        report += tasks.prove(tasks.HERE, what, server, sudo, _watch)
    _show(report, as_json, 2)


@cli.command()
@click.argument("what", nargs=-1)
@_as_json
@_on_server
def apply(what: tuple[str, ...], as_json: bool, server: str, ask_sudo: bool) -> None:
    """Make it true and prove it.  WHAT: chapter or chapter.step; nothing: all."""
    from ispguide import tasks

    report = tasks.apply(tasks.HERE, what, server, _sudo(ask_sudo), _watch)
    _show(report, as_json, 1)


@cli.command()
@click.argument("step")
@_as_json
@_on_server
def undo(step: str, as_json: bool, server: str, ask_sudo: bool) -> None:
    """Put back what STEP (chapter.step) replaced."""
    from ispguide import tasks

    report = tasks.undo(tasks.HERE, step, server, _sudo(ask_sudo), _watch)
    click.echo(
        json.dumps(report.as_dict(), ensure_ascii=False) if as_json else report.text()
    )


@cli.command()
@_as_json
@_on_server
def history(as_json: bool, server: str, ask_sudo: bool) -> None:
    """The ledger of the server: who changed what, and when."""
    from ispguide import tasks
    from ispguide.undoing import history_lines

    ledger = tasks.history(tasks.HERE, server, _sudo(ask_sudo))
    text = (
        json.dumps(ledger, ensure_ascii=False)
        if as_json
        else "\n".join(history_lines(ledger))
    )
    click.echo(text)


@cli.command()
@click.argument("what", nargs=-1)
@click.option("--server", default="practice", show_default=True)
def show(what: tuple[str, ...], server: str) -> None:
    """The chapter as text: why, what should be true, and the commands by hand."""
    from ispguide.story import markdown

    guide = _unconnected(server)
    click.echo(markdown(guide.select(*what), guide.settings))


@cli.command()
@click.argument("what", nargs=-1)
@click.option("--format", "form", type=click.Choice(["sh", "md", "zone"]), default="md")
@click.option("--server", default="practice", show_default=True)
def export(what: tuple[str, ...], form: str, server: str) -> None:
    """The guide for this server as a text (md) or as its commands (sh)."""
    from ispguide.story import markdown, script

    if form == "zone":
        raise GuideError(
            "The DNS records cannot be exported yet.",
            "They belong to chapter 14, which this version does not have.",
            "Use --format md or sh.",
        )
    guide = _unconnected(server)
    make = markdown if form == "md" else script
    click.echo(make(guide.select(*what), guide.settings))


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
    return Guide(None, sample, GUIDE)  # type: ignore[arg-type]


@cli.command()
@click.argument("where")
@click.option("--domain", default="", help="The mail domain, for a server that is new.")
@click.option("--accept", default="", help="The fingerprint you compared: SHA256:…")
@click.option(
    "--name", default="", help="What to call this server; its host by default."
)
@click.option(
    "--key", default="", help="The private key file; ssh's own ones by default."
)
@click.option("--ask-sudo", is_flag=True)
def connect(
    where: str, domain: str, accept: str, name: str, key: str, ask_sudo: bool
) -> None:
    """Make a real server known: user@host.  Nothing on it is changed."""
    from ispguide import tasks

    profile = tasks.connect(
        tasks.HERE, where, domain, accept, name, key, _sudo(ask_sudo)
    )
    click.echo(
        f"{profile.name} is known now. Look at it: ./guide check --server {profile.name}"
    )


@cli.command()
@click.option("--no-browser", is_flag=True, help="Print the address instead.")
@click.option("--port", default=8888, show_default=True)
def start(no_browser: bool, port: int) -> None:
    """Start the practice server and open JupyterLab on 00-start."""
    from ispguide import lab
    from ispguide.jupyter import run

    lab.up(click.echo)
    run(no_browser, port, click.echo)


@cli.command()
@click.argument("more", nargs=-1)
def test(more: tuple[str, ...]) -> None:
    """Run the test suite, a fresh practice server included."""
    import subprocess

    root = Path(__file__).parent.parent
    if not (root / "tests").is_dir():
        raise GuideError(
            "There are no tests here.", "They live in a checkout.", "Clone it."
        )
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *more], cwd=root))


# --- the practice server -----------------------------------------------------


@cli.group("lab")
def lab_() -> None:
    """The practice server and its practice internet."""


def _lab_verb(name: str, text: str) -> None:
    @lab_.command(name, help=text)
    def verb() -> None:
        from ispguide import lab

        getattr(lab, name)(click.echo)


_lab_verb("up", "Start it; what is missing is built.")
_lab_verb("down", "Stop and remove it; images stay.")
_lab_verb("reset", "A fresh, bare Debian 12 again.")


@lab_.command()
@_as_json
def status(as_json: bool) -> None:
    """Whether it runs, and how it is reached."""
    from ispguide import lab

    found = lab.status().as_dict()
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(
        "The practice server runs."
        if found["running"]
        else "The practice server is off."
    )
    for seat in found["seats"] if found["running"] else ():
        click.echo(f"  {seat['hostname']} at {seat['address']}")


def _checkpoint_verb(name: str, text: str) -> None:
    @lab_.command(name, help=text)
    @click.argument("name")
    def verb(**words: str) -> None:
        from ispguide import lab

        getattr(lab, name)(words["name"], click.echo)


_checkpoint_verb("save", "Keep the practice server as it is now, under NAME.")
_checkpoint_verb("load", "Make the practice server what was kept under NAME.")


# --- people ------------------------------------------------------------------


@cli.group()
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
@_on_server
def add(what: str, password_stdin: bool, server: str, ask_sudo: bool) -> None:
    """Add a mailbox (anna@example.org) or a domain (example.org)."""
    from ispguide import tasks

    sudo = _sudo(ask_sudo)
    made = tasks.people_add(tasks.HERE, what, _password(password_stdin), server, sudo)
    click.echo(f"{what} is there.")
    _tell_password(what, made)


@people.command()
@click.argument("address")
@_stdin
@_on_server
def password(address: str, password_stdin: bool, server: str, ask_sudo: bool) -> None:
    """Give a mailbox another password."""
    from ispguide import tasks

    sudo = _sudo(ask_sudo)
    made = tasks.people_password(
        tasks.HERE, address, _password(password_stdin), server, sudo
    )
    click.echo(f"{address} has another password.")
    _tell_password(address, made)


@people.command()
@click.argument("source")
@click.argument("destination")
@_on_server
def alias(source: str, destination: str, server: str, ask_sudo: bool) -> None:
    """Mail to SOURCE (an address, or @domain) goes to DESTINATION."""
    from ispguide import tasks

    tasks.people_alias(tasks.HERE, source, destination, server, _sudo(ask_sudo))
    click.echo(f"Mail to {source} goes to {destination}.")


@people.command()
@click.argument("what")
@_on_server
def remove(what: str, server: str, ask_sudo: bool) -> None:
    """Remove a mailbox, an alias or a domain.  Mail on disk stays."""
    from ispguide import tasks

    tasks.people_remove(tasks.HERE, what, server, _sudo(ask_sudo))
    click.echo(f"{what} is gone. Its mail, if any, is still in /var/vmail.")


@people.command("list")
@_as_json
@_on_server
def list_(as_json: bool, server: str, ask_sudo: bool) -> None:
    """Who and what is on this server."""
    from ispguide import tasks

    lists = tasks.people_list(tasks.HERE, server, _sudo(ask_sudo))
    if as_json:
        click.echo(json.dumps(lists, ensure_ascii=False))
        return
    for name, rows in lists.items():
        click.echo(f"{name}:")
        for row in rows:
            click.echo("  " + " → ".join(row[:2] if name == "aliases" else row[:1]))
