"""`./guide test`: the test suite, as CI runs it.

All of it runs in two hands, each with a practice server of its own; whoever names
files or options gets pytest as it is.  Manual: pytest-xdist.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from ispguide.errors import GuideError

#: Two at a time; a file stays in one hand, and long files come before short ones.
TWO = ("-n2", "--dist=loadfile", "--no-loadscope-reorder")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("more", nargs=-1)
def test(more: tuple[str, ...]) -> None:
    """Run the test suite, a fresh practice server included."""
    root = Path(__file__).parent.parent
    if not (root / "tests").is_dir():
        raise GuideError(
            "There are no tests here.", "They live in a checkout.", "Clone it."
        )
    words = more or (TWO if (os.cpu_count() or 1) > 1 else ())
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *words], cwd=root))
