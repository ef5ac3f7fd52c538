"""The command line: parses words, calls tasks, prints the Report.

Exit codes: 0 all true; 2 gaps (check); 1 it could not look, or a finding failed.
click parses, because Invoke's parser cannot take several positional words.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ispguide import __version__
from ispguide.cli.backup import backup, drill, move, restore
from ispguide.cli.lab import lab_, start_practice
from ispguide.cli.mail import bans, health, reports, rotate, smarthost, trace
from ispguide.cli.options import (
    JSON,
    ask_for_sudo,
    done_watching,
    json_option,
    on_server,
    watched,
)
from ispguide.cli.people import import_, people, senders
from ispguide.cli.reading import export, history, show, test
from ispguide.engine.errors import GuideError
from ispguide.engine.profile import REPLAY

if TYPE_CHECKING:
    from ispguide.tasks.base import OnServer


class Guarded(click.Group):
    """Every GuideError becomes its sentence and exit code 1; with --json, also an
    object where the answer should have been."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except GuideError as error:
            if context.meta.get(JSON):
                click.echo(json.dumps(error.as_dict(), ensure_ascii=False))
            told(error)
            context.exit(1)


def told(error: GuideError) -> None:
    """Its sentence, part by part, and the evidence below."""
    for part in (error.is_, error.should, error.do):
        if part:
            click.echo(part, err=True)
    if evidence := error.evidence.strip():
        click.echo("\n  " + evidence.replace("\n", "\n  "), err=True)


def main() -> None:
    """Entry point; ./guide passes every word on to here."""
    gc.set_threshold(100_000)  # what is imported now stays: to look it over takes 13 ms
    words = sys.argv[1:]
    starts = not words or words[0].startswith(("--no-browser", "--port", "--replay"))
    cli(args=["start", *words] if starts else words, prog_name="ispguide")


@click.group(cls=Guarded)
@click.version_option(__version__)
def cli() -> None:
    """A mail server of your own on Debian 12, built and proved step by step."""


def _show(report: Any, as_json: bool, gap_code: int) -> None:
    done_watching()
    click.echo(
        json.dumps(report.as_dict(), ensure_ascii=False) if as_json else report.text()
    )
    sys.exit(0 if report.ok else gap_code)


@cli.command()
@click.argument("what", nargs=-1)
@click.option("--prove", is_flag=True, help="Also run the proofs, which send mail.")
@json_option
@on_server
def check(what: tuple[str, ...], prove: bool, as_json: bool, on: OnServer) -> None:
    """Look, and change nothing.  Exit 0: all true, 2: gaps, 1: could not look."""
    from ispguide import tasks

    report = on(tasks.look, what)
    if prove:
        report += on(tasks.prove, what, watch=watched)
    _show(report, as_json, 2)


@cli.command()
@click.argument("what", nargs=-1)
@json_option
@on_server
def apply(what: tuple[str, ...], as_json: bool, on: OnServer) -> None:
    """Make it true and prove it.  WHAT: chapter or chapter.step; nothing: all."""
    from ispguide import tasks

    report = on(tasks.apply, what, watch=watched)
    _show(report, as_json, 1)


@cli.command()
@json_option
@on_server
def renew(as_json: bool, on: OnServer) -> None:
    """Renew the certificate (at Let's Encrypt: try it), and look at every door."""
    from ispguide import tasks

    report = on(tasks.renew, watch=watched)
    _show(report, as_json, 1)


@cli.command()
@click.argument("step")
@json_option
@on_server
def undo(step: str, as_json: bool, on: OnServer) -> None:
    """Put back what STEP (chapter.step) replaced."""
    from ispguide import tasks

    report = on(tasks.undo, step, watch=watched)
    click.echo(
        json.dumps(report.as_dict(), ensure_ascii=False) if as_json else report.text()
    )


@cli.command()
@click.argument("where")
@click.option("--domain", default="", help="The mail domain, for a server that is new.")
@click.option("--accept", default="", help="The fingerprint you compared: SHA256:…")
@click.option("--name", default="", help="What to call it; its host by default.")
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
        tasks.HERE, where, domain, accept, name, key, ask_for_sudo(ask_sudo)
    )
    click.echo(
        f"{profile.name} is known now. Look at it: ./guide check --server {profile.name}"
    )


@cli.command()
@click.option("--no-browser", is_flag=True, help="Print the address instead.")
@click.option("--port", default=8888, show_default=True)
@click.option("--replay", is_flag=True, help="A recording instead of a server.")
def start(no_browser: bool, port: int, replay: bool) -> None:
    """Start the practice server (or a replay) and open JupyterLab on 00-start."""
    from ispguide.jupyter import run

    if replay:
        _begin_replay()
    else:
        start_practice()
    run(no_browser, port, click.echo)


def _begin_replay() -> None:
    """For this JupyterLab and its notebooks only; the server in use stays chosen."""
    from ispguide import replay

    replay.start()
    os.environ["ISPGUIDE_SERVER"] = REPLAY
    click.echo("REPLAY: a recorded run answers, and nothing is changed.")


for command in (import_, senders):
    people.add_command(command)
_MORE = (
    backup, bans, drill, export, health, history, lab_, move, people, reports, restore, rotate,
    show, smarthost, test, trace,
)  # fmt: skip
for command in _MORE:
    cli.add_command(command)
