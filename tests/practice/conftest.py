"""What the tests on a practice server share; the server is tests/conftest.py's."""

from __future__ import annotations

from ..conftest import ROOT, Cli, back_to_built, bad, settled, shell

__all__ = ["ROOT", "Cli", "back_to_built", "bad", "settled", "shell"]
