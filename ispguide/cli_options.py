"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ispguide.settings import Secret


def on_server(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--ask-sudo",
        is_flag=True,
        help="Ask for the sudo password of the server's user.",
    )(command)
    return click.option(
        "--server", default="practice", show_default=True, help="Which profile."
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="One JSON object.")(
        command
    )


def ask_for_sudo(ask: bool) -> Secret | None:
    return (
        Secret(click.prompt("sudo password", hide_input=True, err=True))
        if ask
        else None
    )
