"""The task that rehearses the renewal of the certificate.

Exported from `tasks`.  It changes the certificate and nothing else, and judges by
what the doors show afterwards.
"""

from __future__ import annotations

from dataclasses import replace

from ispguide.engine import facts
from ispguide.engine.actions import Run
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Ran
from ispguide.engine.guide import Guide
from ispguide.engine.report import Report
from ispguide.engine.server import Watch, ignore
from ispguide.mail import certificates
from ispguide.mail.certificates import SHOWN_BY, STEP, fingerprint, rehearsal
from ispguide.tasks.base import guide_task


@guide_task
def renew(guide: Guide, *, watch: Watch = ignore) -> Report:
    """Have the certificate renewed now, and see the new one at every open door.

    At Let's Encrypt it is a trial: asked in earnest, and nothing replaced.  Raises
    GuideError where nobody renews, or where certbot failed; then all is as before."""
    before, open_ports = _now(guide)
    watch(f"{STEP.replace('.', ': ')}")
    refused = GuideError(
        "The certificate was not renewed; the old one is still in place.",
        "The authority should have signed a new one.",
        "Run the steps of chapter 4; port 80 must be open to the world.",
        kind="server-refused",
    )
    guide.must([Run(certificates.renew(guide.settings))], STEP, refused, watch)
    stays = guide.settings.tls == "letsencrypt"
    seen = guide.prove(rehearsal("" if stays else before, open_ports), watch=watch)
    return replace(seen, actions=1)


def _look(guide: Guide) -> None:
    """Refuse where nobody renews."""
    guide.outside.live(
        "This is a replay, and nothing is renewed in it.",
        "A renewal asks an authority for a new certificate.",
        "See it on a practice server: ./guide, and this chapter once more.",
    )
    guide.look(())
    if guide.settings.tls == "self-signed":
        raise GuideError(
            "This server signed its certificate itself, for ten years.",
            "Only an authority's certificate has to be renewed.",
            "Choose an authority in the settings, and run chapter 4 again.",
            kind="self-signed",
        )


def _now(guide: Guide) -> tuple[str, list[int]]:
    """The fingerprint of the certificate, and the doors that are open."""
    _look(guide)
    asked = facts.run(fingerprint(guide.settings))
    guide.exchange(tell=[asked])
    said = Ran.of(guide.have[asked])
    if not said.ok:
        raise GuideError(
            "There is no certificate on the server yet.",
            "It should lie where chapter 4 puts it.",
            "./guide apply tls",
            said.err,
            kind="no-certificate",
        )
    return said.out.strip(), _open_ports(guide)


def _open_ports(guide: Guide) -> list[int]:
    """The open ports of the programs that show our certificate: before its own
    chapter, a program shows the one it came with."""
    told = {ports: facts.run(command) for ports, command in SHOWN_BY.items()}
    have = guide.exchange(tell=[*told.values(), facts.listening()]).have
    ours = guide.settings.cert_dir
    mine = [p for ports, fact in told.items() if ours in Ran.of(have[fact]).out for p in ports]  # fmt: skip
    open_ = {int(row[1]) for row in have[facts.listening()]}
    return [port for port in mine if port in open_]
