"""What no ipywidget can: copying a text with one press, and seconds that run.

`Copy(text, label)` is a button.  Wherever one is on the page, the small ones of `frame`
come to life as well; without one (a saved notebook, another front end) they stay out
of sight.  The text is selected and copied by the browser; nothing comes back here.
Source: https://anywidget.dev, https://developer.mozilla.org/docs/Web/API/Clipboard_API
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

_COPYING = """
async function put(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch (refused) {}
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area); area.select();
  const done = document.execCommand("copy"); area.remove(); return done;
}
async function press(button) {
  let said = button.nextElementSibling;
  if (said?.role !== "status") {
    said = Object.assign(document.createElement("span"), { role: "status" });
    button.after(said);
  }
  const done = await put(button.dataset.copy);
  said.textContent = done ? " ✓ copied" : " select it and press Ctrl+C";
  setTimeout(() => (said.textContent = ""), 2500);
}
function render({ model, el }) {
  if (!window.ispgCopy) {
    window.ispgCopy = (event) => {
      const button = event.target.closest?.("button[data-copy]");
      if (button) press(button);
    };
    document.addEventListener("click", window.ispgCopy);
  }
  const show = () => {
    el.innerHTML = "";
    if (!model.get("text")) return;
    const button = document.createElement("button");
    button.type = "button"; button.className = "jupyter-button";
    button.dataset.copy = model.get("text"); button.textContent = model.get("label");
    el.append(button);
  };
  model.on("change", show); show();
}
export default { render };
"""

_COPY_CSS = """
body .ispg button[data-copy]{display:inline-block}
button[data-copy]:focus-visible{outline:3px solid var(--jp-brand-color1,#1976d2)}
"""


class Copy(anywidget.AnyWidget):
    """A button that copies `text`; without a text it only wakes the small ones."""

    _esm, _css = _COPYING, _COPY_CSS
    text = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("copy").tag(sync=True)

    def __init__(self, text: str = "", label: str = "copy", **more: Any):
        super().__init__(text=text, label=label, **more)


# Seconds that run: the browser counts down what stands in [data-until].
#
# A kernel would have to send each second; the browser has a clock of its own.
# Source: https://anywidget.dev


_TICKING = """
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

    _esm = _TICKING
