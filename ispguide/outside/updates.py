"""Sends changes to the server that keeps a zone, signed with the zone's key.

The key never leaves this computer: the practice zones' lies in the lab's folder, a
real zone's is typed, held in memory, and forgotten with the kernel.
Sources: RFC 2136 (dynamic update), RFC 8945 (TSIG), nsupdate(1) for the key's file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ispguide.engine.actions import Action, Run
from ispguide.engine.errors import GuideError
from ispguide.engine.settings import Secret
from ispguide.mail.dns.records import written
from ispguide.mail.dns.thing import Publish

SECONDS = 5.0
Done = dict[str, Any]  #: as a transaction on the server ends


class NotPublished(GuideError):
    """The name server did not take a change; `index`: of the first one not made."""

    index = 0


@dataclass(frozen=True)
class Key:
    """A TSIG key: its name, and its secret in base64."""

    name: str
    secret: Secret
    algorithm: str = "hmac-sha256"


_FILE = re.compile(
    r'key\s+"?(?P<name>[^\s"{]+)"?\s*\{\s*algorithm\s+"?(?P<algorithm>[\w-]+)"?\s*;'
    r'\s*secret\s+"(?P<secret>[^"]+)"\s*;\s*\}',
    re.S,
)


def read_key(path: str) -> Key | None:
    """The key in a file as BIND has them; None when there is no file."""
    if not path or not Path(path).is_file():
        return None
    if not (found := _FILE.search(Path(path).read_text())):
        raise GuideError(
            f"{path} holds no key for dynamic updates.",
            'It should read key "name" { algorithm hmac-sha256; secret "…"; };',
            "Let `tsig-keygen NAME` show you one.",
            kind="no-zone-key",
        )
    return Key(found["name"], Secret(found["secret"]), found["algorithm"])


def publish(changes: Sequence[Publish], key: Key, resolver: str = "") -> None:
    """Make these changes, in order, those of one zone together.  Raises NotPublished."""
    done = 0
    for zone, group in groupby(changes, lambda change: change.zone):
        same = list(group)
        try:
            _update(zone, same, key, resolver)
        except NotPublished as error:
            error.index = done
            raise
        done += len(same)


def published(do: Sequence[Action], key: Key | None, resolver: str) -> Done | None:
    """Make the changes among these actions; None, or how it went wrong, in the words
    of a transaction."""
    changes = [a for a in do if isinstance(a, Publish)]
    if not changes:
        return None
    places = [i for i, a in enumerate(do) if isinstance(a, Publish)]
    try:
        if key is None:
            raise NotPublished("No key for the zone is at hand.", kind="no-zone-key")
        publish(changes, key, resolver)
    except NotPublished as error:
        evidence = f"{error}\n{error.evidence}".strip()
        return {"ok": False, "failed": places[error.index], "evidence": evidence}
    return None


def noted(action: Action) -> Action:
    """For the server: what was published from here is only written into its ledger."""
    return Run(action.note()) if isinstance(action, Publish) else action


def _update(zone: str, changes: Sequence[Publish], key: Key, resolver: str) -> None:
    import dns.exception
    import dns.query
    import dns.rcode
    import dns.tsig
    import dns.tsigkeyring
    import dns.update

    from ispguide.outside.names import Names, NoAnswer

    try:
        names = Names(resolver)
        address = names.address(names.zone(zone).primary.rstrip("."))
        ring = dns.tsigkeyring.from_text(
            {key.name: (key.algorithm, key.secret.reveal())}
        )
        message = dns.update.UpdateMessage(f"{zone}.", keyring=ring)
        for change in changes:
            _add(message, change)
        said = dns.query.tcp(message, address, SECONDS).rcode()
    except (NoAnswer, dns.exception.DNSException, OSError, ValueError) as error:
        raise _refused(zone, changes, f"{type(error).__name__}: {error}") from error
    if said != dns.rcode.NOERROR:
        raise _refused(zone, changes, f"{address} answers {dns.rcode.to_text(said)}")


def _add(message: Any, change: Publish) -> None:
    """RFC 2136 3.4.2.2: beside an alias nothing is added, so it goes first."""
    name = f"{change.name}."
    if change.type == "CNAME":
        message.delete(name)
    else:
        message.delete(name, "CNAME")
    for value in change.remove or ():
        message.delete(name, change.type, written(change.type, value))
    if change.remove is None:
        message.delete(name, change.type)
    for value in change.values:
        message.add(name, change.ttl, change.type, written(change.type, value))


def _refused(zone: str, changes: Sequence[Publish], why: str) -> NotPublished:
    return NotPublished(
        f"The zone {zone} was not changed.",
        "Its name server should take the change.",
        "Check the key's name and secret; or make the change by hand.",
        f"{why}\n\n" + "\n".join(line for c in changes for line in c.lines()),
    )
