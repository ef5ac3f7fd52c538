"""The parts of a form: labelled inputs, each with its explanation and its problem.

A label is the input's own `description`, so a click on it and a screen reader find
the input.  A problem is said below the input while it is typed, in the same place as
the explanation, so that nothing jumps.  Password fields are not echoed by the kernel
and are emptied by the one function that reads them.
Source: https://ipywidgets.readthedocs.io/en/stable/examples/Widget%20Low%20Level.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup
from traitlets import Unicode

from ispguide.engine.settings import Secret
from ispguide.views import style

WIDE = "min(100%, 44em)"


def button(
    label: str, on_click: Callable[[], None], css: str = "", tip: str = ""
) -> Any:
    """A button with words on it."""
    made = widgets.Button(description=label, tooltip=tip or label)
    made.layout.width = "auto"
    if css:
        made.add_class(css)
    made.on_click(lambda _: on_click())
    return made


class Field:
    """An input, its explanation, and its problem while there is one."""

    def __init__(self, made: Any, note: str = "", width: str = WIDE):
        self.input, self._note = made, note
        made.style.description_width = "initial"
        made.layout.width = width
        self._said = widgets.HTML()
        self.box = column(made, self._said).add_class("ispg-field")
        self.say("")

    @property
    def value(self) -> Any:
        """What stands there; text without the blanks around it."""
        found = self.input.value
        return found.strip() if isinstance(found, str) else found

    def say(self, problem: str, good: str = "") -> None:
        """The explanation, and below it what is wrong, or what is well."""
        note = told = Markup()
        if self._note:
            note = Markup('<div class="soft">{}</div>').format(self._note)
        if problem or good:
            said = ("alert", "✗", problem) if problem else ("status", "✓", good)
            told = Markup('<div role="{}">{} {}</div>').format(*said)
        both = Markup('<div class="ispg-note">{}{}</div>').format(note, told)
        self._said.value = style.box(both if note or told else Markup())

    def on_change(self, call: Callable[..., None]) -> Field:
        """Call it when the value changes."""
        self.input.observe(call, names="value")
        return self


class Hidden(widgets.Password):  # type: ignore[misc]
    """A password field whose text the kernel does not send back to the page."""

    value = Unicode("").tag(sync=True, echo_update=False)


def taken(field: Any) -> Secret | None:
    """What was typed, out of the field; None when nothing was."""
    typed = field.value
    field.value = ""
    return Secret(typed) if typed else None


def text(label: str, note: str = "", value: str = "", like: str = "") -> Field:
    """A line of text.  `like`: an example, shown while it is empty."""
    return Field(widgets.Text(description=label, value=value, placeholder=like), note)


def number(label: str, note: str = "", value: int = 0) -> Field:
    """A whole number.  Its limits are said, never silently applied."""
    made = widgets.IntText(description=label, value=value, continuous_update=True)
    return Field(made, note, width="min(100%, 24em)")


def tick(label: str, note: str = "", value: bool = False) -> Field:
    """Yes or no."""
    made = widgets.Checkbox(description=label, value=value, indent=False)
    return Field(made, note)


def choice(
    label: str, options: Iterable[Any], note: str = "", value: Any = ""
) -> Field:
    """One of a few: words, or (words, value)."""
    made = widgets.Dropdown(description=label, options=list(options))
    if value:
        made.value = value
    return Field(made, note)


def offer(field: Field, options: Iterable[tuple[str, str]]) -> None:
    """Other options for a `choice`; what was chosen stays, and nobody chooses for you."""
    chosen, there = field.value, [("choose …", ""), *options]
    field.input.options = there
    field.input.value = chosen if chosen in dict(there).values() else ""


def hidden(label: str, note: str = "") -> Field:
    """A password, read by `taken` and by nothing else."""
    return Field(Hidden(description=label), note)


def words(told: str) -> Any:
    """A plain sentence between inputs."""
    return widgets.HTML(style.box(Markup('<div class="soft">{}</div>').format(told)))


def row(*parts: Any) -> Any:
    """Side by side, wrapping where the page is narrow."""
    return widgets.HBox(list(parts)).add_class("ispg-row")


def column(*parts: Any) -> Any:
    """One below the other."""
    return widgets.VBox(list(parts))


def every(widget: Any) -> list[Any]:
    """A widget, its looks, and everything in it, the inmost first."""
    inner = [w for child in getattr(widget, "children", ()) for w in every(child)]
    looks = (getattr(widget, name, None) for name in ("layout", "style"))
    return [*inner, *(w for w in looks if isinstance(w, widgets.Widget)), widget]
