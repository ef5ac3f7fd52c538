"""The configuration files: each renders, each is used once, each says who wrote it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from ispguide.chapters import GUIDE
from ispguide.engine.local import templates
from ispguide.engine.settings import Settings
from ispguide.engine.things import File

#: With all that a reader can choose, so that every template is used.
S = Settings(
    "mail.example.test",
    "example.test",
    "postmaster@example.test",
    smarthost="mail.friend.test",
    smarthost_user="relay@friend.test",
    sni=True,
    backup_to="keeper@vault.friend.test:mail",
    old_server="old.example.test",
)
#: The same for another reader.
OTHER = Settings(
    "mx.anna.example",
    "anna.example",
    "anna@anna.example",
    pop3=False,
    smarthost="mail.friend.example",
    smarthost_user="relay@friend.example",
    sni=True,
    backup_to="keeper@vault.friend.example:mail",
    old_server="old.anna.example",
)
FILES = {
    thing.path: (chapter, thing)
    for chapter in GUIDE
    for step in chapter
    for thing in step.things(S)
    if isinstance(thing, File)
}
TEMPLATES = sorted(
    f"/{path.relative_to(templates())}"
    for path in templates().rglob("*")
    if path.is_file()
)


def test_each_template_is_used_by_exactly_one_file():
    uses = Counter(
        thing.path
        for chapter in GUIDE
        for step in chapter
        for thing in step.things(S)
        if isinstance(thing, File)
    )
    assert {path: uses[path] for path in TEMPLATES if uses[path] != 1} == {}


@pytest.mark.parametrize("path", TEMPLATES)
def test_who_wrote_it_and_why(path):
    chapter, file = FILES[path]
    lines = file.text.splitlines()
    first = lines[1] if lines[0].startswith("#!") else lines[0]
    wrote = f"Written by ispguide, chapter {chapter.number:02d}"
    assert wrote in first, first
    assert file.text.endswith("\n")
    assert not re.search(r"\{\{|\{%|\[#", file.text), "something was not rendered"
    assert max(map(len, lines)) < 400


def text_for(s: Settings, path: str) -> str:
    """The file of a reader with these settings."""
    things = (
        thing for chapter in GUIDE for step in chapter for thing in step.things(s)
    )
    (text,) = (t.text for t in things if isinstance(t, File) and t.path == path)
    return text


@pytest.mark.parametrize("path", TEMPLATES)
def test_the_settings_come_from_the_reader(path):
    """Another server's file holds nothing of example.test."""
    assert "example.test" not in text_for(OTHER, path)
    if "example.test" in FILES[path][1].text:
        assert "anna.example" in text_for(OTHER, path)


def test_pop3_is_only_there_when_wanted():
    path = "/etc/dovecot/conf.d/99-ispguide-logins.conf"
    assert re.search(r"^protocols = imap pop3 lmtp sieve$", FILES[path][1].text, re.M)
    without = text_for(replace(S, pop3=False), path)
    assert re.search(r"^protocols = imap lmtp sieve$", without, re.M)
