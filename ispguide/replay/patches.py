"""What a step changed in an answer, and how it is put into another answer.

Answers like Postfix's settings belong to many steps; each step's recording keeps only
its own keys, so that steps may be replayed in another order.  Pure.
"""

from __future__ import annotations

from typing import Any

Patch = dict[str, Any]


def difference(old: Any, new: Any) -> Patch | None:
    """None: the same; {"set": new}; or {"keys": {key: patch}, "gone": [key]}."""
    if old == new:
        return None
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return {"set": new}
    keys = {key: difference(old.get(key), value) for key, value in new.items()}
    # A key that is new with the value None would look like one that is the same.
    keys |= {k: {"set": v} for k, v in new.items() if k not in old}
    return {
        "keys": {key: patch for key, patch in keys.items() if patch},
        "gone": [key for key in old if key not in new],
    }


def patched(answer: Any, patch: Patch) -> Any:
    """The answer after the change; `answer` itself stays as it is."""
    if "set" in patch:
        return patch["set"]
    if not isinstance(answer, dict):
        answer = {}
    kept = {key: value for key, value in answer.items() if key not in patch["gone"]}
    return kept | {k: patched(kept.get(k), p) for k, p in patch["keys"].items()}
