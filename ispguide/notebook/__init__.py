"""What the notebooks use: `chapter`, `start`, `people`.

A thin view over tasks and reports; it holds no truth of its own.  This room alone
imports what can be pressed (ipywidgets).
"""

from __future__ import annotations

from ispguide.notebook import people, start
from ispguide.notebook.pages import chapter

__all__ = ["chapter", "people", "start"]
