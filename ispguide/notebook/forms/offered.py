"""What a setting with few choices offers: words for the reader, and the value kept."""

from __future__ import annotations

#: The choices of a setting that has a few, in words.
CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "dmarc_policy": (
        ("not decided: as it stands in the DNS, none to begin with", ""),
        ("none: take them, and tell me", "none"),
        ("quarantine: put them into Junk", "quarantine"),
        ("reject: refuse them", "reject"),
    ),
    "mta_sts": (
        ("testing: bring the mail, and report it", "testing"),
        ("enforce: keep it back until it is safe", "enforce"),
        ("none: no longer, forget what I said", "none"),
        ("leave it out", ""),
    ),
    "tls": (
        ("Let's Encrypt: free, and every program trusts it", "letsencrypt"),
        ("an authority of your own, by its ACME address", "acme-url"),
        ("self-signed: every program will warn", "self-signed"),
    ),
}
