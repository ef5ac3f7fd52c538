"""JupyterLab on the notebooks, beside the user's own Lab and not in it; and what it saves.

Own settings folder, own workspace, own start page; on loopback, with a token.
Sources: https://jupyterlab.readthedocs.io/en/stable/user/directories.html,
https://jupyter-server.readthedocs.io (pre_save_hook)
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from ispguide.engine.local import home, notebooks, write_whole

_OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension:tracker": {
        "recordTiming": True,
        # With the usual "full" or "none", a link to a cell misses it (measured).
        "windowingMode": "defer",
    },
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": False},
}


def run(no_browser: bool, port: int, say: Callable[[str], None]) -> None:
    """Become JupyterLab; returns only when it cannot be started."""
    place = home() / "lab-ui"
    (place / "settings").mkdir(parents=True, exist_ok=True, mode=0o700)
    (place / "workspaces").mkdir(exist_ok=True)
    (place / "settings" / "overrides.json").write_text(json.dumps(_OVERRIDES))
    say("Opening JupyterLab. Stop it with Ctrl+C; the server stays as it is.")
    argv = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--port={port}",
        f"--ServerApp.root_dir={notebooks()}",
        f"--LabApp.app_settings_dir={place / 'settings'}",
        f"--LabApp.user_settings_dir={place / 'user-settings'}",
        f"--LabApp.workspaces_dir={place / 'workspaces'}",
        "--LabApp.default_url=/lab/workspaces/ispguide/tree/00-start.ipynb",
        f"--config={_config(place)}",
    ]
    argv += ["--no-browser"] if no_browser or not _has_browser() else []
    argv += ["--allow-root"] if os.geteuid() == 0 else []
    sys.stdout.flush()
    os.execv(argv[0], argv)


def _has_browser() -> bool:
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


#: JupyterLab's configuration: saving goes through `clean`, and our notebooks
#: are vouched for.
_CONFIG = """from ispguide.engine.local import notebooks
from ispguide.jupyter import clean, trust_store
c.ContentsManager.pre_save_hook = clean
c.NotebookNotary.data_dir = trust_store(notebooks())
"""


def _config(place: Path) -> Path:
    path = place / "config.py"
    path.write_text(_CONFIG)
    return path


def trust_store(folder: Path) -> str:
    """Sign the guide's own notebooks, or JupyterLab asks before it follows a card's
    link.  Returns where the signatures are: not among the user's own."""
    import nbformat
    from nbformat.sign import NotebookNotary

    place = home() / "lab-ui" / "trust"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    notary = NotebookNotary(data_dir=str(place))
    for path in folder.glob("*.ipynb"):
        notary.sign(nbformat.read(path, as_version=4))
    return str(place)


def settle(prefix: Path, start: str) -> None:
    """The same for a Jupyter that others start, as Binder does: `prefix` is its
    Python's, `start` the notebook that opens first."""
    settings = prefix / "share" / "jupyter" / "lab" / "settings"
    config = prefix / "etc" / "jupyter"
    for folder in (settings, config):
        folder.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(_OVERRIDES))
    url = json.dumps(f"/lab/tree/{start}")
    pages = (
        f"c.{app}.default_url = {url}\n"
        for app in ("ServerApp", "LabApp", "JupyterNotebookApp")
    )
    (config / "jupyter_server_config.py").write_text(_CONFIG + "".join(pages))


# What happens to a notebook when JupyterLab saves it: live cards become reports.
#
# A card without its kernel is an error on the page, and its state could hold what
# somebody typed.  So each card's output is replaced by the last report that the kernel
# left for it, plain HTML that any viewer shows.  Runs in JupyterLab's server.
# Source: https://jupyter-server.readthedocs.io (pre_save_hook)


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


# What a saved notebook shows where a live card was.
#
# A card that nobody drives is an error on the page, so on saving JupyterLab puts the
# card's last report in its place.  The kernel leaves
# that report in a file by the card's model id; it holds what the report says and
# nothing that was typed.


#: A cell and the work of its card may both have something to show at the same moment.
_ALONE = Lock()


def keep(model: Callable[[], str | None], html: Callable[[], str]) -> None:
    """The last report of the card with this model id, whole or not at all.

    Both are asked when nobody else writes: so the report that stays is the latest, and
    a card that was closed meanwhile (it has no id then) leaves none."""
    with _ALONE:
        if not (name := model()):
            return
        write_whole(folder() / f"{name}.html", html())


def forget(model: str) -> None:
    """The card is gone."""
    with _ALONE:
        (folder() / f"{model}.html").unlink(missing_ok=True)
