"""Seconds that run: the browser counts down what stands in [data-until].

A kernel would have to send each second; the browser has a clock of its own.
Source: https://anywidget.dev
"""

from __future__ import annotations

import anywidget

_ESM = """
function tick() {
  for (const one of document.querySelectorAll("[data-until]")) {
    const left = Math.ceil(Number(one.dataset.until) - Date.now() / 1000);
    const said = left > 0 ? `${left} s` : one.dataset.over;
    if (one.textContent !== said) one.textContent = said;
  }
}
function render() {
  window.ispgTicks ??= setInterval(tick, 1000);
  tick();
}
export default { render };
"""


class Ticks(anywidget.AnyWidget):
    """Nothing to see; while one is on the page, the seconds run."""

    _esm = _ESM
