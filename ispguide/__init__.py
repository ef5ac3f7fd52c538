"""ispguide: a mail server of one's own on Debian 12, built, explained and proved.

The dozen public names; each is loaded when it is first used, so that importing this
package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Chapter": "engine.chapter",
    "Step": "engine.chapter",
    "Guide": "engine.guide",
    "Server": "engine.server",
    "Profile": "engine.profile",
    "Settings": "engine.settings",
    "Secret": "engine.settings",
    "Finding": "engine.report",
    "Report": "engine.report",
    "GuideError": "engine.errors",
    "File": "engine.things",
    "Packages": "engine.things",
    "Service": "engine.things",
    "Postconf": "mail.postfix",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"ispguide.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ispguide' has no attribute {name!r}")
