"""The SPF record, word by word, with its look-ups counted.  Pure; all is escaped."""

from __future__ import annotations

from html import escape

from ispguide.dns.spf import LOOKUPS, VOIDS, Node, verdict
from ispguide.tasks_dmarc import Spf


def spf_state(spf: Spf) -> tuple[str, str]:
    """(state, words) of the record."""
    if spf.why:
        return "unknown", "could not be told"
    node = spf.node
    if not spf.text or not node or node["broken"]:
        return "gap", "broken" if spf.text else "there is not exactly one record"
    words = f"{node['lookups']} of {LOOKUPS} look-ups"
    good = node["lookups"] <= LOOKUPS and node["voids"] <= VOIDS
    return ("ok" if good else "gap"), words


def spf_html(spf: Spf) -> str:
    """The record, word by word, and what it says of this server."""
    if spf.why or not spf.text:
        why = spf.why or "There is not exactly one SPF record: see chapter 14."
        return f"<p>{escape(why)}</p>"
    node = spf.node
    meter = (
        f'<p><meter min="0" max="{LOOKUPS}" high="{LOOKUPS - 2}" optimum="0" '
        f'value="{min(node["lookups"], LOOKUPS)}" aria-label="look-ups"></meter> '
        f"{node['lookups']} of {LOOKUPS} look-ups, {node['voids']} of {VOIDS} that lead nowhere</p>"
    )
    rows = "".join(_term(term, 0) for term in node["terms"])
    broken = f"<p>{escape(node['broken'] or node['unsure'])}</p>"
    table = (
        '<table><thead><tr><th scope="col">word</th><th scope="col">leads to</th>'
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )
    own = "".join(
        f"<li>{escape(a)}: <strong>{verdict(node['terms'], a)}</strong></li>"
        for a in spf.own
    )
    return f"<p><code>{escape(spf.text)}</code></p>{meter}{broken}{table}<p>It says of this server:</p><ul>{own}</ul>"


def _term(term: Node, deep: int) -> str:
    pad = f' style="padding-left:{deep * 1.6}em"'
    to = (
        ", ".join(term.get("networks", ()))
        if "inner" not in term
        else "what stands below"
    )
    to = "everybody else" if term["text"].lower().endswith("all") else to
    row = f"<tr><td{pad}><code>{escape(term['text'])}</code></td><td>{escape(to)}</td></tr>"
    return row + "".join(_term(one, deep + 1) for one in term.get("inner", ()))
