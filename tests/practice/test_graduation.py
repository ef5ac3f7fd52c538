"""The report on a real server: everything in it, and no secret of it."""

from __future__ import annotations

import json
import re

import pytest

from ispguide import tasks
from ispguide.tasks.report import Graduation
from ispguide.views import report
from ispguide.views.report import markdown

from ..building import Built
from .conftest import shell

NOTE = "/var/lib/ispguide/look/notes/planted"


@pytest.fixture(scope="module")
def secrets(built: Built) -> list[str]:
    """Every password that the server made for itself."""
    kept = json.loads(shell("cat /etc/ispguide/secrets.json"))
    found = [entry["value"] for entry in kept.values()]
    assert len(found) > 3
    return found


@pytest.fixture(scope="module")
def planted(secrets: list[str]):
    """The passwords lie where a look finds them and repeats them."""
    shell(f"mkdir -p $(dirname {NOTE})")
    for number, value in enumerate(secrets):
        shell(f"printf '%s\\n' 'A note that tells {value}' > {NOTE}-{number}")
    yield
    shell(f"rm {NOTE}-*; rmdir $(dirname {NOTE}) --ignore-fail-on-non-empty")


@pytest.fixture(scope="module")
def seen(planted, thorough) -> Graduation:
    """Everything; in the thorough suite with every proof run, else as the server
    remembers them."""
    return tasks.graduate(tasks.HERE, prove=thorough)


@pytest.mark.parametrize("make", [report.page, markdown], ids=["html", "md"])
def test_the_report_holds_everything_and_no_secret(seen, secrets, make):
    text = make(seen)
    for value in secrets:
        assert value not in text
    assert "A note that tells ⟦redis⟧" in text, "it was looked at, and hidden"
    assert "proofs held" in text and "v=spf1" in text
    assert not re.search(r"BEGIN [A-Z ]*PRIVATE KEY|\$2[aby]\$|\{BLF-CRYPT\}", text)


def test_the_command_prints_it(planted, secrets, cli):
    done = cli("export", "--format", "html", "--look")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<!doctype html>") and "⟦redis⟧" in done.stdout
    assert not [value for value in secrets if value in done.stdout + done.stderr]


def test_every_proof_shows_what_it_saw(seen, thorough):
    failed = [p for p in seen.proofs if p.state not in ("ok", "unknown")]
    assert not failed, "\n".join(f"{p.sentence}: {p.evidence}" for p in failed)
    assert all(p.time for p in seen.proofs)
    silent = [p.sentence for p in seen.proofs if thorough and not p.evidence]
    assert silent == []
    assert {p.chapter for p in seen.proofs} == {
        c.chapter.name for c in seen.overview.chapters if c.chapter.proofs
    }
    assert seen.flow and seen.certificate and seen.health
    assert all(row.state in ("ok", "blocked") for row in seen.records)


def test_a_report_without_proofs_changes_nothing(built):
    before = shell("cat /var/lib/ispguide/proved.json /var/lib/ispguide/ledger.jsonl")
    seen = tasks.graduate(tasks.HERE, prove=False)
    assert (
        shell("cat /var/lib/ispguide/proved.json /var/lib/ispguide/ledger.jsonl")
        == before
    )
    assert {p.evidence for p in seen.proofs} == {""}
