"""What happens to a notebook when JupyterLab saves it: live cards become reports.

A card without its kernel is an error on the page, and its state could hold what
somebody typed.  So each card's output is replaced by the last report that the kernel
left for it, plain HTML that any viewer shows.  Runs in JupyterLab's server.
Source: https://jupyter-server.readthedocs.io (pre_save_hook)
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ispguide.profile import home

VIEW = "application/vnd.jupyter.widget-view+json"
KEPT = 7 * 24 * 3600  #: seconds after which a report of a forgotten card goes


def folder() -> Path:
    """Where the kernels leave the last reports of their live cards."""
    return home() / "lab-ui" / "shown"


def clean(model: dict[str, Any], **_: Any) -> None:
    """The hook: changes the model that is about to be written."""
    if model.get("type") != "notebook" or not model.get("content"):
        return
    model["content"]["metadata"].pop("widgets", None)
    for cell in model["content"]["cells"]:
        if cell["cell_type"] == "code":
            found = (_plain(output) for output in cell.get("outputs", ()))
            cell["outputs"] = [output for output in found if output]
    _sweep()


def _plain(output: dict[str, Any]) -> dict[str, Any] | None:
    """The output as it was, a card's report in its place, or None."""
    data = output.get("data", {})
    if VIEW not in data:
        return output
    file = folder() / f"{data[VIEW]['model_id']}.html"
    html = file.read_text() if file.is_file() else data.get("text/html", "")
    if not html:
        return None
    words = "A card of ispguide. Run the cell to see it live."
    return {**output, "data": {"text/html": html, "text/plain": words}}


def _sweep() -> None:
    """Reports of cards whose kernel ended without saying so."""
    for path in folder().glob("*.html"):
        if path.stat().st_mtime < time.time() - KEPT:
            path.unlink(missing_ok=True)
