"""`./guide test`: the test suite, as CI runs it.

Every change is tested by the suite that runs without a word; `--thorough` runs all
there is, `--quick` what needs no server.  The tests wait for a server most of their
time, so there is one hand more than processors, at most four, each with a practice
server of its own; whoever names files or options gets pytest as it is.  Manual: pytest-xdist.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from ispguide.errors import GuideError

#: A file stays in one hand, and the files come in the order of tests/suite.py.
HANDS = ("-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist=loadfile", "--no-loadscope-reorder")  # fmt: skip
SUITES = ("--thorough", "--quick", "--durations")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("more", nargs=-1)
def test(more: tuple[str, ...]) -> None:
    """Run the tests: those of every change, with --thorough all, with --quick those
    without a server.  --durations says where the time went."""
    root = Path(__file__).parent.parent
    if not (root / "tests").is_dir():
        raise GuideError(
            "There are no tests here.",
            "They live in a checkout.",
            "Clone it.",
            kind="no-tests",
        )
    words = ["--durations=10" if word == "--durations" else word for word in more]
    asks = [w for w in more if w not in SUITES and not w.startswith("--order=")]
    hands = () if asks else HANDS
    sys.exit(
        subprocess.call([sys.executable, "-m", "pytest", *hands, *words], cwd=root)
    )
