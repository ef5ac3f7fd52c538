"""What there is of DKIM on the server: domains, keys, and rspamd's list of who signs.

One look tells it all: which keys there are, which one signs, since when.  The private
halves stay where they are; openssl prints the public ones.  Pure.
Sources: RFC 6376 3.6.1 (the record), https://docs.rspamd.com/modules/dkim_signing/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ispguide.engine import facts
from ispguide.engine.facts import Fact, Have, Ran
from ispguide.mail.dns.keys import bits

# rspamd's list of who signs: a line a domain, with the key's selector and since when.
#
# Pure.  Source: https://docs.rspamd.com/modules/dkim_signing/ (selector_map)


FOLDER = "/var/lib/rspamd/dkim"
MAP = "/etc/rspamd/dkim_selectors.map"
HEAD = (
    "# Written by ispguide, chapter 15: which key signs for which domain, and since when.\n"
    f"# DOMAIN SELECTOR; the key lies in {FOLDER}/DOMAIN.SELECTOR.key.\n"
)
_SINCE = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True)
class Entry:
    """A line of rspamd's list.  `since`: seconds since 1970, 0 when it does not say."""

    domain: str
    selector: str
    since: int = 0

    def line(self) -> str:
        when = datetime.fromtimestamp(self.since, UTC).strftime(_SINCE)
        return f"{self.domain} {self.selector} # since {when}"


_LINE = re.compile(r"\s*([^\s#]+)\s+([^\s#]+)(?:\s*#\s*since ([-0-9: ]+UTC))?")


def entries(list_: str) -> list[Entry]:
    """The lines of rspamd's list that say something."""
    found = (_LINE.match(line) for line in list_.splitlines())
    return [Entry(m[1].lower(), m[2], _time(m[3])) for m in found if m]


def _time(text: str | None) -> int:
    if not text:
        return 0
    return int(datetime.strptime(text, _SINCE).replace(tzinfo=UTC).timestamp())


def with_entries(list_: str, new: Iterable[Entry], gone: Iterable[str] = ()) -> str:
    """The list with these lines instead of those of the same domains; lines of others,
    and what somebody wrote between them, stay."""
    new = list(new)
    away = {e.domain for e in new} | set(gone)
    kept = [
        line
        for line in (list_ or HEAD).splitlines()
        if not ((m := _LINE.match(line)) and m[1].lower() in away)
    ]
    return "\n".join([*kept, *(e.line() for e in new)]) + "\n"


# What there is of DKIM on the server: domains, keys, and rspamd's list of who signs.


#: RFC 8301 3.2: shorter ones are weak, and longer ones do not fit everywhere.
BITS = 2048

#: A line a domain, a key, a line of the list; "end" tells that nothing is missing.
COMMAND = rf"""domains=$(mariadb -BN -e 'SELECT name FROM mailserver.virtual_domains ORDER BY name') || exit 75
date '+now%t%s'
[ -z "$domains" ] || printf '%s\n' "$domains" | sed 's/^/domain\t/'
for key in {FOLDER}/*.key; do
  [ -e "$key" ] || continue
  able=no; ! runuser -u _rspamd -- test -r "$key" || able=yes
  rights=$(stat -c '%a %U:%G %Y' "$key" | tr ' ' '\t')
  public=$(openssl pkey -in "$key" -passin pass: -pubout -outform DER 2>/dev/null | base64 -w0)
  printf 'key\t%s\t%s\t%s\t%s\n' "${{key##*/}}" "$able" "$rights" "$public"
done
if [ -e {MAP} ]; then
  printf 'listed\t%s\n' "$(stat -c %Y {MAP})"
  sed 's/^/map\t/' {MAP}
fi
echo end"""
LOOK: Fact = facts.run(COMMAND)


@dataclass(frozen=True)
class Key:
    """A key on the server.  `public`: its public half, base64 of DER, "" when the file
    holds no key.  `made`: seconds since 1970.  `readable`: by rspamd."""

    domain: str
    selector: str
    made: int
    public: str
    readable: bool = True
    mode: str = "440"
    owner: str = "root:_rspamd"

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.domain}.{self.selector}.key"

    @property
    def name(self) -> str:
        """Where its public half stands in the DNS."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def text(self) -> str:
        """The record, computed from the key."""
        return f"v=DKIM1; k=rsa; p={self.public}"

    @property
    def bits(self) -> int:
        return bits(self.public)

    @property
    def private(self) -> bool:
        """Whether nobody but its owner and group may read it."""
        return self.mode.zfill(4).endswith("0")

    @property
    def usable(self) -> bool:
        return self.readable and self.bits >= BITS


@dataclass(frozen=True)
class Signers:
    """Everything one look saw.  `now`: the server's clock; `listed`: when rspamd's list
    was last changed."""

    now: int
    domains: tuple[str, ...]
    keys: tuple[Key, ...]
    list_: str = ""
    listed: int = 0

    def of(self, domain: str) -> list[Key]:
        """The keys of a domain, the oldest first; files that hold none as well."""
        mine = (k for k in self.keys if k.domain == domain)
        return sorted(mine, key=lambda k: (k.made, k.selector))

    def whole(self, domain: str) -> list[Key]:
        """Those that are keys."""
        return [k for k in self.of(domain) if k.public]

    def entry(self, domain: str) -> Entry | None:
        """What rspamd's list says of a domain."""
        return next((e for e in entries(self.list_) if e.domain == domain), None)

    def signing(self, domain: str) -> Key | None:
        """The key that signs for it, if it is there."""
        entry = self.entry(domain)
        return next(
            (k for k in self.whole(domain) if entry and k.selector == entry.selector),
            None,
        )

    def since(self, domain: str) -> int:
        """When its key began to sign: as the list says, else when that was changed."""
        entry = self.entry(domain)
        return (entry.since if entry else 0) or self.listed

    def newer(self, domain: str) -> list[Key]:
        """Keys that wait for their turn; the newest of all while none signs."""
        now, mine = self.signing(domain), self.whole(domain)
        return mine[mine.index(now) + 1 :] if now else mine[-1:]

    def older(self, domain: str) -> list[Key]:
        """Keys that have had their turn."""
        now, mine = self.signing(domain), self.whole(domain)
        return mine[: mine.index(now)] if now else mine[:-1]

    def needed(self, domain: str) -> list[Key]:
        """The key that signs, and those that come after it."""
        now = self.signing(domain)
        return [*([now] if now else []), *self.newer(domain)]


def seen(have: Have) -> Signers | None:
    """What the look says; None when it could not be told."""
    return read(have[LOOK])


def read(answer: Mapping[str, object]) -> Signers | None:
    """The same from the answer alone."""
    ran = Ran.of(answer)
    if not ran.ok or not ran.out.endswith("end\n"):
        return None
    rows = [line.split("\t") for line in ran.lines]
    domains = tuple(row[1] for row in rows if row[0] == "domain")
    list_ = "".join(f"{line[4:]}\n" for line in ran.lines if line[:4] == "map\t")
    known = (*domains, *(e.domain for e in entries(list_)))
    keys = (_key(row, known) for row in rows if row[0] == "key")
    times = {row[0]: int(row[1]) for row in rows if row[0] in ("now", "listed")}
    whole = tuple(key for key in keys if key)
    return Signers(times["now"], domains, whole, list_, times.get("listed", 0))


def _key(row: list[str], domains: Iterable[str]) -> Key | None:
    """None for a file of a domain that is neither here nor on rspamd's list."""
    _, file, able, mode, owner, made, public = row
    name = file.removesuffix(".key")
    fits = [d for d in domains if name.startswith(f"{d}.")]
    if not fits:
        return None
    domain = max(fits, key=len)
    selector = name.removeprefix(f"{domain}.")
    return Key(domain, selector, int(made), public, able == "yes", mode, owner)
