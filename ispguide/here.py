"""Who calls a task: the command line and the notebooks show what it returns.

Under `fab`, which shows no results, the tasks say it themselves.
"""

from __future__ import annotations

from invoke import Context


class Here(Context):  # type: ignore[misc]
    """The caller shows what a task returns (the command line, a notebook)."""


HERE = Here()
