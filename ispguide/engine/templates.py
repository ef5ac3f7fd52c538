"""Find and render the configuration files below templates/.

A template lies at the path where it will live on the server.
Comments are written [# … #] because Jinja's own mark collides with the shell's
${#x}.  A value a template does not know is an error, never an empty string.
Source: https://jinja.palletsprojects.com/en/stable/api/
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ispguide.engine import local
from ispguide.engine.actions import marker
from ispguide.engine.settings import Settings


@cache
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(local.templates()),
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
