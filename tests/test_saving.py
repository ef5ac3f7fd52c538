"""Saving a notebook: cards become their last reports, nothing live stays."""

import os
import time

import pytest

from ispguide.saving import KEPT, VIEW, clean, folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    folder().mkdir(parents=True)


def notebook(*outputs):
    cell = {"cell_type": "code", "outputs": list(outputs)}
    content = {"metadata": {"widgets": {"state": 1}}, "cells": [cell]}
    return {"type": "notebook", "content": content}


def card(model, html=""):
    data = {VIEW: {"model_id": model}, "text/plain": "HTML(value='…')"}
    return {"output_type": "display_data", "data": data | ({"text/html": html} if html else {})}  # fmt: skip


def saved(*outputs):
    model = notebook(*outputs)
    clean(model)
    assert "widgets" not in model["content"]["metadata"]
    return model["content"]["cells"][0]["outputs"]


def test_the_last_report_stands_where_the_card_was():
    (folder() / "m1.html").write_text("<p>true</p>")
    (output,) = saved(card("m1", "<p>not looked yet</p>"))
    assert output["data"]["text/html"] == "<p>true</p>"
    assert VIEW not in output["data"]


def test_a_card_that_left_nothing_shows_what_it_began_with():
    (output,) = saved(card("m2", "<p>not looked yet</p>"))
    assert output["data"]["text/html"] == "<p>not looked yet</p>"


def test_other_widgets_go_altogether():
    assert saved(card("m3")) == []


def test_ordinary_outputs_stay_as_they_are():
    plain = {"output_type": "stream", "name": "stdout", "text": "1"}
    assert saved(plain) == [plain]


def test_files_and_folders_are_not_touched():
    clean({"type": "file", "content": "text"})
    clean({"type": "notebook", "content": None})


def test_reports_of_dead_kernels_are_swept():
    old, new = folder() / "old.html", folder() / "new.html"
    for path in (old, new):
        path.write_text("x")
    os.utime(old, (0, time.time() - KEPT - 10))
    saved()
    assert (old.exists(), new.exists()) == (False, True)
