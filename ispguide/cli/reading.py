"""Commands that change nothing: history, show, export, and test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ispguide.cli.options import json_option, on_server
from ispguide.engine.errors import GuideError

if TYPE_CHECKING:
    from ispguide.tasks.base import OnServer


@click.command()
@json_option
@on_server
def history(as_json: bool, on: OnServer) -> None:
    """The ledger of the server: who changed what, and when."""
    from ispguide import tasks
    from ispguide.engine.undo import history_lines

    ledger = on(tasks.history)
    text = (
        json.dumps(ledger, ensure_ascii=False)
        if as_json
        else "\n".join(history_lines(ledger))
    )
    click.echo(text)


@click.command()
@click.argument("what", nargs=-1)
@click.option("--server", default="practice", show_default=True)
def show(what: tuple[str, ...], server: str) -> None:
    """The chapter as text: why, what should be true, and the commands by hand."""
    from ispguide.engine.export import markdown

    guide = _unconnected(server)
    click.echo(markdown(guide.select(*what), guide.settings))


@click.command()
@click.argument("what", nargs=-1)
@click.option(
    "--format", "form", default="md", type=click.Choice(["html", "md", "sh", "zone"])
)
@click.option("--look", is_flag=True, help="A report without running the proofs.")
@on_server
def export(what: tuple[str, ...], form: str, look: bool, on: OnServer) -> None:
    """The report to keep (html, md), for which every proof is run; the guide as its
    commands (sh); the DNS records as a zone file (zone)."""
    from ispguide.engine.export import script

    if form == "sh":
        guide = _unconnected(on.server)
        click.echo(script(guide.select(*what), guide.settings))
        return
    from ispguide import tasks

    if form == "zone":
        click.echo(on(tasks.dns_zone), nl=False)
        return
    from ispguide.views.report import markdown, page

    make = page if form == "html" else markdown
    click.echo(
        make(on(tasks.graduate, prove=not look)),
        nl=False,
    )


def _unconnected(server: str) -> Any:
    """A guide for reading: no connection is made."""
    from ispguide import tasks
    from ispguide.chapters import GUIDE
    from ispguide.engine.guide import Guide
    from ispguide.engine.profile import names
    from ispguide.engine.settings import Settings

    if server in names():
        return tasks.open_guide(server)
    sample = Settings("mail.example.test", "example.test", "postmaster@example.test")
    return Guide(None, sample, GUIDE, None)  # type: ignore[arg-type]


# `./guide test`: the test suite, as CI runs it.
#
# Every change is tested by the suite that runs without a word; `--thorough` runs all
# there is, `--quick` what needs no server.  The tests wait for a server most of their
# time, so there is one hand more than processors, at most four, each with a practice
# server of its own; whoever names files or options gets pytest as it is.  Manual: pytest-xdist.


#: A file stays in one hand, and the files come in the order of tests/suite.py.
IN_PARALLEL = ("-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist=loadfile", "--no-loadscope-reorder")  # fmt: skip
SUITES = ("--thorough", "--quick", "--durations")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("more", nargs=-1)
def test(more: tuple[str, ...]) -> None:
    """Run the tests: those of every change, with --thorough all, with --quick those
    without a server.  --durations says where the time went."""
    root = Path(__file__).parents[2]
    if not (root / "tests").is_dir():
        raise GuideError(
            "There are no tests here.",
            "They live in a checkout.",
            "Clone it.",
            kind="no-tests",
        )
    words = ["--durations=10" if word == "--durations" else word for word in more]
    asks = [w for w in more if w not in SUITES and not w.startswith("--order=")]
    hands = () if asks else IN_PARALLEL
    sys.exit(
        subprocess.call([sys.executable, "-m", "pytest", *hands, *words], cwd=root)
    )
