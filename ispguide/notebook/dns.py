"""The DNS coach in a notebook: `records` and `propagation`.

A thin view over tasks: nothing is kept here, and a key that is typed for a zone is
handed on and wiped out of the form in the same moment.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.settings import Secret
from ispguide.mail.dns.records import zone_file
from ispguide.notebook import switch
from ispguide.notebook.browser import Copy, Ticks
from ispguide.notebook.card import Card, Sure, headless, live
from ispguide.notebook.inputs import button
from ispguide.notebook.show import Shown, guarded
from ispguide.notebook.switch import Switch
from ispguide.outside.updates import Key
from ispguide.tasks.dns import Propagation, Row
from ispguide.views import dns, style
from ispguide.views.dns import records_html, records_summary, records_text


def records() -> Any:
    """Every record the server needs: what is, what should be, what to type."""
    if headless():
        return guarded(lambda: _shown(switch.here()(tasks.dns_records, ())))
    return live(RecordsCard, RecordsCard.look)


def propagation() -> Any:
    """Who knows the records already, and how long old notes will still be believed."""
    if headless():
        return guarded(_propagation)
    return live(PropagationCard, PropagationCard.look)


def _shown(rows: list[Row]) -> Shown:
    return Shown(
        style.style() + style.box(records_html(rows, live=False)), records_text(rows)
    )


def _propagation() -> Shown:
    found = switch.here()(tasks.dns_propagation)
    html = style.style() + style.box(dns.to_html(found))
    return Shown(html, dns.to_text(found))


class RecordsCard(Card):
    """The records, with buttons to copy, and to publish where that can be done."""

    def __init__(self) -> None:
        self.all = Copy("", "copy all as a zone file")
        self.publish_button = Sure(
            "publish what is missing or wrong", self.publish, "ispg-do"
        )
        look = button("look again", self.look)
        bar = [look, self.publish_button.box, Switch().box]
        super().__init__("dns.records", "The records", bar)
        self.form = KeyForm()
        self.inside.children = (self.all, self.form.box)
        profile = switch.profile()
        self.by_itself = profile.practice or bool(profile.zone_key)
        self.form.box.layout.display = "none" if self.by_itself else ""

    def look(self) -> None:
        """Ask the zone's own servers; nothing is changed."""
        on = switch.here()
        self.state("busy", "looking")
        self.run("Asking the name servers", lambda _: on(tasks.dns_records, ()), self.take)  # fmt: skip

    def publish(self) -> None:
        """Send what is missing or wrong to the server that keeps the zone."""
        on, key = switch.here(), self.form.taken()
        self.state("busy", "publishing")
        self.run("Publishing", lambda _: on(tasks.dns_publish, (), key=key), self.take)  # fmt: skip

    def take(self, rows: list[Row]) -> None:
        """Show what was found."""
        self.state(*records_summary(rows))
        self.show(records_html(rows))
        zone = next((row.zone for row in rows if row.record.key == "mx"), "")
        self.all.text = zone_file([r.proposed for r in rows], zone) if rows else ""


class KeyForm:
    """A key for a zone that takes dynamic updates, typed and not kept."""

    def __init__(self) -> None:
        self.name = widgets.Text(description="key's name")
        self.secret = widgets.Password(description="its secret")
        about = widgets.HTML(
            style.box(
                Markup(
                    "<p>Does your provider take dynamic updates (RFC 2136)? Then he gave you "
                    "a key, and one press publishes. Without one, copy the values into his "
                    "form. The key is used once and kept nowhere.</p>"
                )
            )
        )
        self.box = widgets.VBox([about, widgets.HBox([self.name, self.secret])])

    def taken(self) -> Key | None:
        """The key, out of the form; None when none was typed."""
        name, secret = self.name.value.strip(), self.secret.value.strip()
        self.secret.value = ""
        return Key(name, Secret(secret)) if name and secret else None


class PropagationCard(Card):
    """Who knows it already: a picture, a table, and seconds that run."""

    def __init__(self) -> None:
        look = button("look again", self.look)
        bar = [look, Switch().box]
        super().__init__("dns.propagation", "Who knows it already", bar)
        self.inside.children = (Ticks(),)

    def look(self) -> None:
        """Ask everybody anew."""
        on = switch.here()
        self.state("busy", "asking")
        self.run("Asking everybody", lambda _: on(tasks.dns_propagation), self.take)  # fmt: skip

    def take(self, found: Propagation) -> None:
        """Show what was found."""
        self.state(*dns.propagation_summary(found))
        self.show(dns.to_html(found))
