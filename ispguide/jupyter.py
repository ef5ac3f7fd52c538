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

_OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension:tracker": {"recordTiming": True},
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": False},
}


def notebooks() -> Path:
    """The folder with the notebooks: the checkout's, else the wheel's."""
    here = Path(__file__).parent
    checkout = here.parent / "notebooks"
    return checkout if checkout.is_dir() else here / "_notebooks"


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


def _config(place: Path) -> Path:
    """A hook that drops widget outputs on save: reopened, they would be errors, and
    their state could hold what somebody typed."""
    path = place / "config.py"
    path.write_text(
        "def clean(model, **_):\n"
        "    if model['type'] != 'notebook':\n"
        "        return\n"
        "    model['content']['metadata'].pop('widgets', None)\n"
        "    for cell in model['content']['cells']:\n"
        "        cell['outputs'] = [\n"
        "            o for o in cell.get('outputs', ())\n"
        "            if 'application/vnd.jupyter.widget-view+json' not in o.get('data', {})\n"
        "        ] if cell['cell_type'] == 'code' else []\n"
        "        if cell['cell_type'] != 'code':\n"
        "            del cell['outputs']\n"
        "c.ContentsManager.pre_save_hook = clean\n"
    )
    return path
