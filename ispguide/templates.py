"""Find and render the configuration files below templates/.

A template lies at the path where it will live on the server.  A checkout's own
folder wins over the one in the wheel, so who edits a template edits *their* server.
Comments are written [# … #] because Jinja's own mark collides with the shell's
${#x}.  A value a template does not know is an error, never an empty string.
Source: https://jinja.palletsprojects.com/en/stable/api/
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ispguide.actions import marker
from ispguide.settings import Settings


@cache
def root() -> Path:
    """The folder with the templates."""
    here = Path(__file__).parent
    checkout = here.parent / "templates"
    return checkout if checkout.is_dir() else here / "_templates"


@cache
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(root()),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        comment_start_string="[#",
        comment_end_string="#]",
        autoescape=False,
    )
    env.globals["secret"] = marker
    env.filters["sqlname"] = sql_escape
    return env


def sql_escape(text: str) -> str:
    """For a value between single quotes in a Postfix or Dovecot query."""
    return text.replace("\\", "\\\\").replace("'", "''")


def render(path: str, s: Settings, **values: object) -> str:
    """The file for `path` on the server; secrets stand in it as markers."""
    template = _environment().get_template(path.lstrip("/"))
    return template.render(s=s, **values)
