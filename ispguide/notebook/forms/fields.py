"""A card with inputs: it says what is wrong with them, and refuses while looking only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ispguide.notebook import switch
from ispguide.notebook.card import Card

STYLE = Markup("""<style>
.ispg-card .ispg-field{overflow:visible;margin:2px 0}
.ispg-field .widget-label{min-width:14em;text-align:left;white-space:normal;height:auto}
.ispg-field .widget-html{margin:0 2px 4px}.ispg-field .widget-checkbox{width:auto}
.ispg-note{min-height:2.9em}.ispg-note [role=alert]{font-weight:600}
.ispg-card input:disabled,.ispg-card select:disabled{opacity:.6}
.ispg .lesson{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,34em),1fr));gap:4px 18px}
.ispg .lesson pre{font-size:1.25em;font-weight:600;user-select:all}
.ispg-row{align-items:center;flex-flow:row wrap;overflow:visible}
.ispg-row .jupyter-button{height:auto;min-height:32px;padding:2px 12px;line-height:1.3;white-space:normal}
.ispg-card .lm-TabBar-content{flex-flow:row wrap}
.ispg-card .lm-TabBar .lm-TabBar-tab{flex:0 0 auto;min-width:0;width:auto;max-width:none}
.ispg .once{font-size:1.25em;user-select:all;overflow-wrap:anywhere}
</style>""")


class FormCard(Card):
    """A card with inputs.  `check` says what is wrong with them and is asked again
    whenever something was typed or a job has begun or ended.

    It belongs to the server that was in use when it was made."""

    def __init__(self, key: str, title: str, buttons: Sequence[Any] = ()):
        self.free, self.server = True, switch.current()
        super().__init__(key, title, buttons)

    def about(self) -> Markup:
        return STYLE

    def check(self, *_: Any) -> None:
        """Say what cannot be, and which buttons may be pressed."""

    def _enable(self, yes: bool) -> None:
        self.free = yes
        super()._enable(yes)
        self.check()

    def spare(self) -> Sequence[Any]:
        """Parts that are not on the page all the time."""
        return ()

    def close(self) -> None:
        self.inside.children = (*self.inside.children, *self.spare())
        super().close()

    def moved(self) -> bool:
        """Whether another server came into use since this card was filled."""
        return self.server != switch.current()

    def refuse(self, what: str) -> bool:
        """Whether the switch or a replay forbids changes; then it says so."""
        reason = why_not()
        if reason:
            self.show(Markup('<p role="alert">{} {}</p>').format(reason, what))
        return bool(reason)


def why_not() -> str:
    """Why a form may not change the server in use; "" when it may."""
    if switch.profile().replay:
        return "This is a replay."
    if switch.position() == switch.LOOK:
        return "Looking only."
    return ""
