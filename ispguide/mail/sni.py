"""NameCertificates, NamesFile, SniMap: what further names need on the server.

A name that does not lead here yet gets no certificate, because no authority would sign
one; that is said in words, and keeps nobody from the rest.  Pure.
Sources: https://eff-certbot.readthedocs.io/, postconf(5) tls_server_sni_maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run, quote
from ispguide.engine.facts import NO_ROOTS, Fact, Have, Ran, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure, together
from ispguide.engine.settings import Settings
from ispguide.engine.things import File, Plain
from ispguide.mail.dns.thing import OWN, REACHED, addresses
from ispguide.mail.postfix import Postconf

# Which further names there are, which lead here, and which have a good certificate.
#
# Pure.  Sources: openssl-x509(1), RFC 6066 3 (server_name).


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
class SniNames:
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
    ran = Ran.of(answer)
    if not ran.ok or not ran.out.endswith("end\n"):
        return None
    rows = (line.split() for line in ran.lines[:-1])
    return dict(rows)


def named(answer: Mapping[str, Any]) -> list[str]:
    """The names in an answer to the look."""
    return list(states(answer) or ())


# NameCertificates, NamesFile, SniMap: what further names need on the server.


MAP = "tls_server_sni_maps"
LIVE = "/etc/letsencrypt/live"
UNTOLD = "Could not tell which mail domains the server has."


def waiting(name: Name) -> Unsure:
    """Why there is no certificate for a name, and what to do."""
    if name.leads is None:
        return Unsure(f"Could not tell where {name.name} leads: {name.why}.")
    return Unsure(
        f"{name.name} leads {'' if name.why == 'nowhere' else 'to '}{name.why}. It should "
        "lead to this server, or no authority signs for it. In the form of your DNS "
        "provider, make it an alias (CNAME) of the server's name, then run this step again."
    )


@dataclass(frozen=True)
class NameCertificates(Plain):
    """Every one of these names that leads here has a certificate of its own.

    `ask`: the command that gets one for a name."""

    sni_names: SniNames
    ask: Callable[[Settings, str], str]

    def __str__(self) -> str:
        return f"a certificate for {self.sni_names.prefix}.DOMAIN of each mail domain"

    def facts(self) -> Iterable[Fact]:
        return self.sni_names.facts()

    def gap(self, have: Have) -> Gap:
        seen = self.sni_names.seen(have)
        if seen is None:
            return Unsure(UNTOLD)
        if due := ", ".join(n.name for n in seen if n.due):
            words = f"No good certificate is there for {due}. The authority should sign one."
            return Gap("missing", words)
        return together(waiting(n) for n in seen if not n.good)

    def fix(self, have: Have) -> Sequence[Action]:
        s, seen = self.sni_names.settings, self.sni_names.seen(have)
        if seen is None:  # shown to who only reads
            return [Run(self.ask(s, f"{self.sni_names.prefix}.{s.domain}"))]
        return [Run(self.ask(s, n.name)) for n in seen if n.due]

    def evidence(self, have: Have) -> str:
        """Which names have one."""
        return "\n".join(self.sni_names.good(have)) or "There is no such name."


@dataclass(frozen=True, init=False)
class NamesFile(File):
    """A file with a part for each of these names that has a certificate.

    Without any name it need not be there.  It is written when the certificates are."""

    sni_names: SniNames
    more: tuple[tuple[str, object], ...]

    def __init__(self, path: str, sni_names: SniNames, **more: object):
        one = f"{sni_names.prefix}.{sni_names.settings.domain}"  # for who only reads
        super().__init__(path, sni_names.settings, names=(one,), **more)  # type: ignore[arg-type]
        object.__setattr__(self, "sni_names", sni_names)
        object.__setattr__(self, "more", tuple(more.items()))

    def facts(self) -> Iterable[Fact]:
        return [*super().facts(), *self.sni_names.facts()]

    def wanted(self, have: Have) -> File:
        """The file as it should be now."""
        names = self.sni_names.good(have)
        return File(self.path, self.sni_names.settings, names=names, **dict(self.more))  # type: ignore[arg-type]

    def gap(self, have: Have) -> Gap:
        if self.sni_names.seen(have) is None:
            return Unsure(UNTOLD)
        missing = have[facts.file(self.path)].get("kind") == "none"
        if missing and not self.sni_names.good(have):
            return NO_GAP
        return self.wanted(have).gap(have)

    def fix(self, have: Have) -> Sequence[Action]:
        return () if _early(self.sni_names, have) else self.wanted(have).fix(have)


@dataclass(frozen=True)
class SniMap(Plain):
    """Postfix shows each of these names its own certificate; without `sni_names`, it has
    one for all."""

    sni_names: SniNames | None

    def __str__(self) -> str:
        return f"Postfix setting {MAP}"

    def facts(self) -> Iterable[Fact]:
        return [facts.postconf(), *(self.sni_names.facts() if self.sni_names else ())]

    def wanted(self, have: Have) -> str:
        """Its value: key and chain of each name."""
        names = self.sni_names.good(have) if self.sni_names else []
        rows = (f"{{ {n} = {LIVE}/{n}/privkey.pem, {LIVE}/{n}/fullchain.pem }}" for n in names)  # fmt: skip
        return f"inline:{{ {', '.join(rows)} }}" if names else ""

    def gap(self, have: Have) -> Gap:
        if self.sni_names and self.sni_names.seen(have) is None:
            return Unsure(UNTOLD)
        now, want = have[facts.postconf()], self.wanted(have)
        if why := failed_answer(now):
            return Unsure(f"Postfix cannot be asked for its settings: {why}.")
        is_ = now.get(MAP, "")
        if is_ == want:
            return NO_GAP
        return Gap("differs", f"{MAP} is {is_!r}, should be {want!r}.")

    def fix(self, have: Have) -> Sequence[Action]:
        if self.sni_names and _early(self.sni_names, have):
            return ()
        return Postconf(**{MAP: self.wanted(have)}).fix(have)


def _early(sni_names: SniNames, have: Have) -> bool:
    """Whether certificates are still to come."""
    return any(n.due for n in sni_names.seen(have) or ())
