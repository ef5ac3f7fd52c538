"""Whether two servers hold the same: letters, flags, filters, passwords, keys.

`remote.inventory` counts and hashes on the server, so no letter and no password leaves it.
Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Have, Ran

FACT = facts.probe("inventory")
#: {kind: {name: [count, hash]}}
Inventory = Mapping[str, Mapping[str, list[object]]]


def inventory(have: Have) -> Inventory:
    """What the server holds; GuideError when it could not count."""
    ran = Ran.of(have[FACT])
    if not ran.ok:
        raise GuideError(
            "The server could not count what it holds.",
            "It should name its letters, passwords and keys by their hashes.",
            "",
            ran.err,
            kind="no-answer",
        )
    found: Inventory = json.loads(ran.out)
    return found


def differences(before: Inventory, after: Inventory) -> list[str]:
    """A sentence for each thing that is not equal; none: all is equal."""
    told = []
    for kind in before:
        for name, (count, mark) in before[kind].items():
            now, other = after.get(kind, {}).get(name, [0, ""])
            if (now, other) != (count, mark):
                many = f"{count} before, {now} now" if now != count else "others now"
                told.append(f"{kind}, {name}: {many}")
        more = after.get(kind, {}).keys() - before[kind].keys()
        told += [f"{kind}, {name}: not there before" for name in sorted(more)]
    return told


def counted(found: Inventory) -> list[str]:
    """How much of each kind there is."""
    return [
        f"{kind}: {sum(int(str(n)) for n, _ in names.values())} in {len(names)}"
        for kind, names in found.items()
    ]
