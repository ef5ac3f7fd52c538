"""The replay for somebody who is not root and has no engine and no network."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from ispguide.chapters import GUIDE

from .conftest import ended
from .ordinary import ROOT, Ordinary, python

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STARTER = ROOT / "guide"
#: Runs the notebooks in a kernel of this very Python, and prints all outputs.
RUN = """
import json, sys, nbclient, nbformat
notebook, *more = (nbformat.read(path, as_version=4) for path in sys.argv[1:])
notebook.cells += [cell for book in more for cell in book.cells]
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3",
    store_widget_state=False, resources={"metadata": {"path": sys.path[0] or "."}},
).execute()
print("OUTPUTS" + json.dumps([o for c in notebook.cells for o in c.get("outputs", ())]))
"""


@pytest.fixture
def user():
    """Below /tmp, because pytest's own folders are root's alone."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="ispguide-ordinary-"))
    folder.chmod(0o755)
    yield Ordinary(folder / "home")
    shutil.rmtree(folder)


def test_the_user_is_ordinary(user):
    code = (
        "import os, shutil, socket\n"
        "assert os.geteuid() != 0\n"
        "assert not any(map(shutil.which, ('podman', 'docker', 'sudo', 'ssh')))\n"
        "try: socket.create_connection(('192.0.2.1', 80), 2)\n"
        "except OSError as error: print(error)\n"
    )
    done = user.run(python(), "-c", code)
    assert done.returncode == 0, done.stdout
    assert "unreachable" in done.stdout


def outputs(user, cells: str) -> list[str]:
    """What every output of every notebook shows, in plain words."""
    done = user.run(
        python(), "-c", RUN, *map(str, NOTEBOOKS),
        ISPGUIDE_CELLS=cells, ISPGUIDE_SERVER="replay",
    )  # fmt: skip
    assert "OUTPUTS" in done.stdout, done.stdout[-3000:]
    shown = json.loads(done.stdout.rpartition("OUTPUTS")[2])
    return [o["data"]["text/plain"] if "data" in o else str(o) for o in shown]


def test_every_notebook_runs_and_builds_the_server(user):
    shown = outputs(user, "do")
    assert not [o for o in shown if "✗" in o or "‖" in o]
    assert not [o for o in shown if "not in the recording" in o]
    assert len([o for o in shown if "REPLAY" in o]) > len(GUIDE)
    done = user.ispguide("check", "--server", "replay", "--json")
    assert json.loads(done.stdout.partition("\n")[2])["ok"], done.stdout
    assert (user.home / "ispguide" / "replay.json").exists()


@pytest.mark.thorough
def test_looking_only_changes_nothing_of_it(user):
    outputs(user, "look")
    assert not (user.home / "ispguide" / "replay.json").exists()


def test_on_the_command_line(user):
    done = user.ispguide("check", "--server", "replay", "server")
    assert done.stdout.startswith("REPLAY: nothing is changed.")
    assert user.ispguide("apply", "--server", "replay", "server").returncode == 0
    assert "you@replay" in user.ispguide("history", "--server", "replay").stdout


def test_jupyterlab_opens_on_the_first_notebook(user):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    code = "from ispguide.cli import main; main()"
    argv = user.argv(
        python(), "-c", code, "start", "--replay", "--no-browser", f"--port={port}"
    )
    with subprocess.Popen(
        argv, env=user.env, cwd=ROOT, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as jupyter:  # fmt: skip
        said = []
        try:
            for line in jupyter.stdout or ():
                said.append(line)
                if re.search(r"http://127\S+token=\w+", line):
                    break
            else:
                raise AssertionError("".join(said))
        finally:
            ended(jupyter)
    text = "".join(said)
    assert text.startswith("REPLAY")
    assert "/lab/workspaces/ispguide/tree/00-start.ipynb" in text
    assert (user.home / "ispguide" / "profiles" / "replay.toml").is_file()


# --- the front door ------------------------------------------------------------


@pytest.fixture
def checkout(user):
    """The script beside an environment that is ready and only says what it is told."""
    place = user.home.parent / "checkout"
    (place / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(STARTER, place)
    (place / "pyproject.toml").touch()
    (place / ".venv" / "ready").touch()
    command = place / ".venv" / "bin" / "ispguide"
    command.write_text('#!/bin/sh\necho "ispguide $*"\n')
    command.chmod(0o755)
    return str(place / "guide")


def guide(user, checkout, *words):
    return user.run(checkout, *words, PYTHON=python())


@pytest.mark.parametrize(
    "words",
    [["start", "--replay"], ["--replay"], ["--no-browser", "--replay"],
     ["check", "--server", "replay"], ["history", "--server=replay"]],
)  # fmt: skip
def test_the_script_asks_for_nothing_in_a_replay(user, checkout, words):
    done = guide(user, checkout, *words)
    first = [] if words[0] in ("start", "check", "history") else ["start"]
    assert done.stdout == f"ispguide {' '.join([*first, *words])}\n"


@pytest.mark.parametrize("words", [[], ["start"], ["lab", "up"]])
def test_without_an_engine_it_says_why_and_offers_the_replay(user, checkout, words):
    done = guide(user, checkout, *words)
    assert done.returncode == 1
    why, offer = done.stdout.splitlines()
    assert why.startswith("This computer lacks") and "podman" in why
    assert offer == "Look around without a server: ./guide start --replay"


def test_where_only_root_may_install_it_says_so(user, checkout):
    apt = user.home / "tools" / "apt-get"
    apt.write_text("#!/bin/sh\necho called\n")
    apt.chmod(0o755)
    done = guide(user, checkout)
    why, offer = done.stdout.splitlines()
    assert why.endswith("which only root may install.")
    assert offer.endswith("./guide start --replay")


def test_where_only_root_may_start_containers_it_says_so(user, checkout):
    for name in ("podman", "mmdebstrap", "ssh-keygen", "ip"):
        tool = user.home / "tools" / name
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o755)
    done = guide(user, checkout)
    why, offer = done.stdout.splitlines()
    assert why == "The practice server is a container that only root may start."
    assert offer.endswith("./guide start --replay")
    assert guide(user, checkout, "check").stdout == "ispguide check\n"


def test_where_the_kernel_allows_no_container_it_says_so(user, tmp_path):
    """Root without the capability that namespaces need, as inside a container."""
    drop = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    done = subprocess.run(
        [*drop, ROOT / "guide", "lab", "up"],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path),
             "ISPGUIDE_HOME": str(tmp_path)},
        text=True, capture_output=True,
    )  # fmt: skip
    why, offer = done.stderr.splitlines()[-2:]  # an environment may be made first
    assert done.returncode == 1
    assert why == "This computer lets no container run: Operation not permitted."
    assert offer == "Look around without a server: ./guide start --replay"


def test_the_script_stays_short():
    assert len(STARTER.read_text().splitlines()) <= 60
    assert subprocess.run(["sh", "-n", STARTER], check=False).returncode == 0
