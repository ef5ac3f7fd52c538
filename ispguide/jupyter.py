"""Starts JupyterLab on the notebooks, beside the user's own Lab and not in it.

Own settings folder, own workspace, own start page; on loopback, with a token.
Source: https://jupyterlab.readthedocs.io/en/stable/user/directories.html
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ispguide.profile import home
from ispguide.shipped import notebooks

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


#: JupyterLab's configuration: saving goes through `saving.clean`, and our notebooks
#: are vouched for.
_CONFIG = """from ispguide.jupyter import vouch
from ispguide.saving import clean
from ispguide.shipped import notebooks
c.ContentsManager.pre_save_hook = clean
c.NotebookNotary.data_dir = vouch(notebooks())
"""


def _config(place: Path) -> Path:
    path = place / "config.py"
    path.write_text(_CONFIG)
    return path


def vouch(folder: Path) -> str:
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
