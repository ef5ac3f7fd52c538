"""The trial of new rules: what the server does, and how it takes them back by itself.

Whoever locks himself out cannot unlock.  So new rules are only tried: they lie in
/run, a timer on the server puts the old ones back, and only a *new* connection, which
the new rules have let in, stops that timer and writes them down (`trial`).  A restart in
between forgets the new rules, because nothing of them is on the disk yet.
Manuals: systemd-run(1), nft(8).  Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from ispguide.actions import Run

RULES = "/etc/nftables.d/ispguide.nft"
UNIT = "ispguide-firewall.service"
TABLE = "inet ispguide"
#: What was in force when the rules were last let in: a change by hand shows.
LISTING = "/var/lib/ispguide/firewall.listing"
#: Prints from where and to where this question came.  sudo keeps it from the question
#: itself, and so the processes above are looked at, too (sshd(8), proc(5)).
SSH_CONNECTION = r"""p=$$; while [ "$p" -gt 1 ]; do
  tr '\0' '\n' < /proc/$p/environ | sed -n 's/^SSH_CONNECTION=//p' | grep . && break
  p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status)
done"""
#: Seconds until untried rules go again.
SECONDS = 30

TRY = f"""install -d -m 0700 /run/ispguide-firewall
cd /run/ispguide-firewall
cat > new
nft -c -f new
{{ echo 'table {TABLE}'; echo 'delete table {TABLE}'
  nft list table {TABLE} 2>/dev/null || true; }} > before
systemctl stop ispguide-take-back.timer 2>/dev/null || true
systemd-run -q --collect --on-active={SECONDS} --timer-property=AccuracySec=1 \\
  --unit=ispguide-take-back nft -f /run/ispguide-firewall/before
nft -f new"""

KEEP = f"""systemctl stop ispguide-take-back.timer
install -D -m 0644 /run/ispguide-firewall/new {RULES}.part
sync {RULES}.part
mv {RULES}.part {RULES}
systemctl enable -q {UNIT}
systemctl reload-or-restart {UNIT}
nft -s list table {TABLE} > {LISTING}"""


@dataclass(frozen=True)
class Try(Run):
    """Rules to be tried; `stdin`: the whole file."""

    def by_hand(self) -> str:
        return (
            f"{super().by_hand()}\n"
            f"# then, from another terminal, over a new SSH connection:\n{KEEP}"
        )
