"""Which further names there are, which lead here, and which have a good certificate.

Pure.  Sources: openssl-x509(1), RFC 6066 3 (server_name).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ispguide import facts
from ispguide.actions import quote
from ispguide.dns.thing import OWN, REACHED, addresses
from ispguide.facts import NO_ROOTS, Fact, Have, failed_answer
from ispguide.settings import Settings

#: A line a name; behind it "good" when its certificate lasts a week, is for that name,
#: and from the authority in the settings.  "end" tells that nothing is missing.
LOOK = """domains=$(mariadb -BN -e 'SELECT name FROM mailserver.virtual_domains ORDER BY name') || exit 75
{no_roots}
cd /etc/letsencrypt
asked=" $(grep -lsF {server} renewal/*.conf | tr '\\n' ' ') "
for domain in $domains; do for prefix in {prefixes}; do
  name=$prefix.$domain; state=none; file=live/$name/fullchain.pem
  [ "$name" != {own} ] || continue
  if [ -e "$file" ]; then
    state=bad
    case "$asked" in *" renewal/$name.conf "*)
      openssl x509 -noout -checkend 604800 -in "$file" > /dev/null &&
        openssl x509 -noout -checkhost "$name" -in "$file" | grep -q 'does match' && state=good;;
    esac
  fi
  echo "$name $state"
done; done
echo end"""


def prefixes(s: Settings) -> list[str]:
    """The words in front of mail domains that these settings want, asked in one look."""
    wanted = {"mta-sts": s.sts, "mail": s.sni, "autoconfig": s.autoconfig,
              "autodiscover": s.autoconfig}  # fmt: skip
    return [word for word, here in wanted.items() if here]


@dataclass(frozen=True)
class Name:
    """`leads`: None when it could not be told."""

    name: str
    good: bool
    leads: bool | None
    why: str = ""

    @property
    def due(self) -> bool:
        """Whether a certificate can be asked for, and should be."""
        return bool(self.leads) and not self.good


@dataclass(frozen=True)
class Further:
    """The names with this word in front of each mail domain.

    `server`: the directory of the authority that signs for them."""

    prefix: str
    settings: Settings
    server: str

    @property
    def look(self) -> Fact:
        own, server = quote(self.settings.hostname), quote(f"server = {self.server}")
        words = " ".join(dict.fromkeys([*prefixes(self.settings), self.prefix]))
        return facts.run(
            LOOK.format(no_roots=NO_ROOTS, prefixes=words, own=own, server=server)
        )

    @property
    def leading(self) -> Fact:
        return facts.after("leading", self.look)

    def facts(self) -> tuple[Fact, ...]:
        return (OWN, REACHED, self.look, self.leading)

    def seen(self, have: Have) -> list[Name] | None:
        """Every name; None when the server could not tell them."""
        found = self.states(have[self.look])
        if found is None:
            return None
        own = set(addresses(have) or ())
        told = have[self.leading]
        return [_name(n, s == "good", told, own) for n, s in found.items()]

    def states(self, answer: Mapping[str, Any]) -> dict[str, str] | None:
        """{name: good, bad or none} of these names; None: it was not told."""
        found = states(answer)
        mine = f"{self.prefix}."
        return found and {n: state for n, state in found.items() if n.startswith(mine)}

    def good(self, have: Have) -> list[str]:
        """Those that have a certificate."""
        return [n.name for n in self.seen(have) or () if n.good]


def _name(name: str, good: bool, told: Mapping[str, Any], own: set[str]) -> Name:
    found = told.get(name, told if failed_answer(told) else {"error": "not asked"})
    if why := failed_answer(found):
        return Name(name, good, None, why)
    if not own:
        return Name(name, good, None, "the server's own address could not be told")
    where = " and ".join(found) or "nowhere"
    return Name(name, good, bool(found) and set(found) <= own, where)


def states(answer: Mapping[str, Any]) -> dict[str, str] | None:
    """{name: good, bad or none} in an answer to the look; None: it was not told."""
    text = str(answer.get("out", ""))
    if failed_answer(answer) or answer.get("rc") != 0 or not text.endswith("end\n"):
        return None
    rows = (line.split() for line in text.splitlines()[:-1])
    return dict(rows)


def named(answer: Mapping[str, Any]) -> list[str]:
    """The names in an answer to the look."""
    return list(states(answer) or ())
