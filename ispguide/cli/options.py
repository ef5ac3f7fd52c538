"""Options that several commands share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from ispguide.engine.profile import REPLAY
from ispguide.engine.progress import Doing
from ispguide.engine.settings import Secret

#: Where a running command notes that its answer, or its error, is to be JSON.
JSON = "ispguide.json"
_AGAIN = "\r\033[K"
_DOING = Doing()


def on_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the command gets `on`, which calls tasks on the server that was named."""

    @functools.wraps(command)
    def run(*words: Any, server: str, ask_sudo: bool, **named: Any) -> Any:
        from ispguide.tasks.base import OnServer

        on = OnServer(server, ask_for_sudo(ask_sudo))
        return command(*words, on=on, **named)

    asking = click.option(
        "--ask-sudo",
        is_flag=True,
        help="Ask for the sudo password of the server's user.",
    )(run)
    return click.option(
        "--server",
        default="practice",
        show_default=True,
        help="Which profile; “replay” is a recording, and changes nothing.",
        callback=_says_replay,
    )(asking)


def _says_replay(_: Any, __: Any, server: str) -> str:
    """What a recording tells must not be taken for the state of a server."""
    if server == REPLAY:
        click.echo("REPLAY: nothing is changed.", err=True)
    return server


def watched(line: str) -> None:
    """Progress goes to stderr, on one line where somebody sits before it."""
    _DOING.hear(line)
    if sys.stderr.isatty():
        step = f"{_DOING.step} · " if _DOING.step != _DOING.words else ""
        click.echo(_AGAIN + (step + _DOING.words)[:100], err=True, nl=False)


def done_watching() -> None:
    """The line of progress goes, so that what was found begins on a clean one."""
    if sys.stderr.isatty():
        click.echo(_AGAIN, err=True, nl=False)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="One JSON object.",
        callback=_for_errors_too,
    )(command)


def _for_errors_too(context: click.Context, _: Any, as_json: bool) -> bool:
    context.meta[JSON] = as_json or context.meta.get(JSON, False)
    return as_json


def ask_for_sudo(ask: bool) -> Secret | None:
    return (
        Secret(click.prompt("sudo password", hide_input=True, err=True))
        if ask
        else None
    )
