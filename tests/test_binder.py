"""What Binder is told: the files repo2docker reads, tried as far as one computer can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ispguide import jupyter
from ispguide.jupyter import settle

from .ordinary import MODULES, ROOT

BINDER = ROOT / "binder"


def test_python_is_new_enough():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    kind, _, version = (BINDER / "runtime.txt").read_text().strip().partition("-")
    assert kind == "python"
    assert tuple(map(int, version.split("."))) >= (3, 11)


def test_the_project_itself_is_installed_in_place():
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-e ."]


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_be_run(name):
    script = BINDER / name
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


def environment(tmp_path: Path) -> dict[str, str]:
    """A Python called python3 whose prefix is a folder of the test."""
    place = tmp_path / "bin"
    place.mkdir()
    code = "import sys; sys.prefix = sys.argv.pop(1); exec(sys.stdin.read())"
    (place / "python3").write_text(
        f"#!/bin/sh\n[ $1 = - ] && exec {sys.executable} -c '{code}' {tmp_path}\n"
        f'exec {sys.executable} "$@"\n'
    )
    (place / "python3").chmod(0o755)
    return {
        "PATH": f"{place}:/usr/bin:/bin", "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(MODULES),
    }  # fmt: skip


def test_what_is_built_has_the_settings_of_our_jupyterlab(tmp_path):
    env = environment(tmp_path)
    subprocess.run([BINDER / "postBuild"], cwd=ROOT, env=env, check=True)
    overrides = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert json.loads(overrides.read_text()) == jupyter._OVERRIDES
    config = (tmp_path / "etc" / "jupyter" / "jupyter_server_config.py").read_text()
    assert "ContentsManager.pre_save_hook = clean" in config
    compile(config, "config", "exec")
    assert '"/lab/tree/notebooks/00-start.ipynb"' in config
    assert (ROOT / "notebooks" / "00-start.ipynb").is_file()


def test_what_is_started_is_a_replay(tmp_path):
    env = environment(tmp_path)
    done = subprocess.run(
        [BINDER / "start", "sh", "-c", 'echo "$ISPGUIDE_SERVER: $*"', "sh", "a b", "c"],
        cwd=ROOT, env=env, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "replay: a b c\n"
    assert (tmp_path / ".ispguide" / "profiles" / "replay.toml").is_file()


def test_other_jupyters_open_the_same_page(tmp_path):
    """Binder starts `jupyter notebook`; whichever it is, it must lead to JupyterLab."""
    settle(tmp_path, "notebooks/00-start.ipynb")
    config = (tmp_path / "etc" / "jupyter" / "jupyter_server_config.py").read_text()
    for app in ("ServerApp", "LabApp", "JupyterNotebookApp"):
        assert f"c.{app}.default_url = " in config
