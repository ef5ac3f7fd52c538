"""Drives the forms from inside a kernel, as a reader's fingers do: type, tick, press.

A cell names what to do and never what is typed: that lies in the file PLANTED names,
and what was made is written there too, for the test to look for.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from pathlib import Path
from typing import Any

from paramiko import Transport

from ispguide.notebook import switch
from ispguide.notebook.work import worker


def typed(name: str) -> str:
    """What the reader has in mind."""
    return str(json.loads(Path(os.environ["PLANTED"]).read_text())[name])


def noted(name: str, value: str) -> None:
    """What the reader writes down."""
    path = Path(os.environ["PLANTED"])
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))


def at_rest(name: str = "") -> None:
    """Wait until nothing is under way."""
    worker(name or switch.current()).join()


def alone(seconds: float = 10) -> None:
    """Wait until no thread of the guide or of its connections is left."""
    at_rest()
    end = time.monotonic() + seconds
    while left := [
        t.name
        for t in threading.enumerate()
        if t.name.startswith("ispguide") or isinstance(t, Transport)
    ]:
        assert time.monotonic() < end, left
        time.sleep(0.02)


def connect(card: Any) -> str:
    """Fill in the form, compare the fingerprint, trust.  The card's heading."""
    for name in ("host", "user", "key", "domain"):
        card.fields[name].input.value = typed(name)
    card.password.input.value = typed("sudo")
    card.go.click()
    at_rest("connecting")
    card.lesson.pasted.input.value = typed("fingerprint")
    card.lesson.trust.click()
    at_rest("connecting")
    return heading(card)


def arm(card: Any) -> str:
    """Type the server's name."""
    card.name.input.value = "mail.example.test"
    card.arm_button.click()
    return heading(card)


def add(card: Any, address: str, secret: str) -> str:
    """Somebody new; `secret` names the password, "" has one made.  What was said."""
    form = card.acts[0]
    form.address.input.value = address
    password(form, secret)
    if not secret:
        shown = re.search(r'class="once">([^<]+)<', card.once._shown.value)
        assert shown, card.body.value
        noted("made", shown[1])
        card.once._hide.click()
    return words(card)


def renew(card: Any, address: str, secret: str) -> str:
    """A new password for somebody."""
    form = card.acts[1]
    form.address.input.value = address
    password(form, secret)
    return words(card)


def password(form: Any, secret: str) -> None:
    """Type it twice, or have one made; press."""
    form.password.make.input.value = not secret
    if secret:
        form.password.first.input.value = typed(secret)
        form.password.again.input.value = typed(secret)
    assert not form.button.disabled, form.password.again._said.value
    form.button.click()
    at_rest()


def sudo(card: Any, secret: str) -> None:
    """Answer the question of a card that was refused root."""
    (box,) = [c for c in card.inside.children if "ispg-sudo" in c._dom_classes]
    box.children[0].value = typed(secret)
    box.children[1].click()


def sudo_lost() -> None:
    """As in a kernel that was started again."""
    switch._SUDO.clear()


def heading(card: Any) -> str:
    return plain(card.head.value)


def words(card: Any) -> str:
    return plain(card.body.value)


def plain(html: str) -> str:
    """Without tags and style sheets."""
    return re.sub(r"<style>.*?</style>|<[^>]+>", "", html, flags=re.S)
