"""NameCertificates, NamesFile, SniMap: what further names need on the server.

A name that does not lead here yet gets no certificate, because no authority would sign
one; that is said in words, and keeps nobody from the rest.  Pure.
Sources: https://eff-certbot.readthedocs.io/, postconf(5) tls_server_sni_maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ispguide import facts
from ispguide.actions import Action, Run
from ispguide.facts import Fact, Have, failed_answer
from ispguide.further.seen import Further, Name
from ispguide.gaps import NO_GAP, Gap, Unsure, together
from ispguide.mail import Postconf
from ispguide.settings import Settings
from ispguide.things import File, Plain

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

    further: Further
    ask: Callable[[Settings, str], str]

    def __str__(self) -> str:
        return f"a certificate for {self.further.prefix}.DOMAIN of each mail domain"

    def facts(self) -> Iterable[Fact]:
        return self.further.facts()

    def gap(self, have: Have) -> Gap:
        seen = self.further.seen(have)
        if seen is None:
            return Unsure(UNTOLD)
        if due := ", ".join(n.name for n in seen if n.due):
            words = f"No good certificate is there for {due}. The authority should sign one."
            return Gap("missing", words)
        return together(waiting(n) for n in seen if not n.good)

    def fix(self, have: Have) -> Sequence[Action]:
        s, seen = self.further.settings, self.further.seen(have)
        if seen is None:  # shown to who only reads
            return [Run(self.ask(s, f"{self.further.prefix}.{s.domain}"))]
        return [Run(self.ask(s, n.name)) for n in seen if n.due]

    def evidence(self, have: Have) -> str:
        """Which names have one."""
        return "\n".join(self.further.good(have)) or "There is no such name."


@dataclass(frozen=True, init=False)
class NamesFile(File):
    """A file with a part for each of these names that has a certificate.

    Without any name it need not be there.  It is written when the certificates are."""

    further: Further
    more: tuple[tuple[str, object], ...]

    def __init__(self, path: str, further: Further, **more: object):
        one = f"{further.prefix}.{further.settings.domain}"  # for who only reads
        super().__init__(path, further.settings, names=(one,), **more)  # type: ignore[arg-type]
        object.__setattr__(self, "further", further)
        object.__setattr__(self, "more", tuple(more.items()))

    def facts(self) -> Iterable[Fact]:
        return [*super().facts(), *self.further.facts()]

    def wanted(self, have: Have) -> File:
        """The file as it should be now."""
        names = self.further.good(have)
        return File(self.path, self.further.settings, names=names, **dict(self.more))  # type: ignore[arg-type]

    def gap(self, have: Have) -> Gap:
        if self.further.seen(have) is None:
            return Unsure(UNTOLD)
        missing = have[facts.file(self.path)].get("kind") == "none"
        if missing and not self.further.good(have):
            return NO_GAP
        return self.wanted(have).gap(have)

    def fix(self, have: Have) -> Sequence[Action]:
        return () if _early(self.further, have) else self.wanted(have).fix(have)


@dataclass(frozen=True)
class SniMap(Plain):
    """Postfix shows each of these names its own certificate; without `further`, it has
    one for all."""

    further: Further | None

    def __str__(self) -> str:
        return f"Postfix setting {MAP}"

    def facts(self) -> Iterable[Fact]:
        return [facts.postconf(), *(self.further.facts() if self.further else ())]

    def wanted(self, have: Have) -> str:
        """Its value: key and chain of each name."""
        names = self.further.good(have) if self.further else []
        rows = (f"{{ {n} = {LIVE}/{n}/privkey.pem, {LIVE}/{n}/fullchain.pem }}" for n in names)  # fmt: skip
        return f"inline:{{ {', '.join(rows)} }}" if names else ""

    def gap(self, have: Have) -> Gap:
        if self.further and self.further.seen(have) is None:
            return Unsure(UNTOLD)
        now, want = have[facts.postconf()], self.wanted(have)
        if why := failed_answer(now):
            return Unsure(f"Postfix cannot be asked for its settings: {why}.")
        is_ = now.get(MAP, "")
        if is_ == want:
            return NO_GAP
        return Gap("differs", f"{MAP} is {is_!r}, should be {want!r}.")

    def fix(self, have: Have) -> Sequence[Action]:
        if self.further and _early(self.further, have):
            return ()
        return Postconf(**{MAP: self.wanted(have)}).fix(have)


def _early(further: Further, have: Have) -> bool:
    """Whether certificates are still to come."""
    return any(n.due for n in further.seen(have) or ())
