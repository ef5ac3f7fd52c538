"""The practice server's account at the authority, after the authority forgot it.

A real authority remembers its accounts for years.  Pebble forgets them when it stops,
and has no way to keep them.  So whenever the authority is a new one, the server's
account key is introduced to it again, by certbot's own library, and certbot's note of
where the account is found gets the new address.  Nothing else on the server changes.
Sources: RFC 8555 7.3, pebble's db/memorystore.go, the package python3-acme.
"""

from __future__ import annotations

from ispguide.lab.box import Box
from ispguide.lab.engine import Watch
from ispguide.lab.world import acme_url

#: Where certbot keeps its accounts at this authority.
_ACCOUNTS = "/etc/letsencrypt/accounts/acme.example-ca.test:14000/dir"

_INTRODUCE = """
import json, pathlib, sys
from acme import client, errors, messages
from josepy import JWK

for path in pathlib.Path(sys.argv[1]).glob("*/private_key.json"):
    net = client.ClientNetwork(JWK.json_loads(path.read_text()))
    where = client.ClientV2.get_directory(sys.argv[2], net)
    who = messages.NewRegistration.from_data(terms_of_service_agreed=True)
    try:
        uri = client.ClientV2(where, net).new_account(who).uri
    except errors.ConflictError as known:
        uri = known.location
    note = path.with_name("regr.json")
    old = json.loads(note.read_text())
    if old["uri"] != uri:
        note.write_text(json.dumps(old | {"uri": uri}))
"""


def introduce(mail: Box, watch: Watch) -> None:
    """Make the server's account known, if it has one.

    A server on which that fails is still a server: it is said, and nothing stops."""
    if mail.run(["test", "-d", _ACCOUNTS]).returncode:
        return
    trust = "REQUESTS_CA_BUNDLE=/etc/ssl/practice-acme-ca.pem"
    argv = ["env", trust, "python3", "-I", "-", _ACCOUNTS, acme_url()]
    done = mail.run(argv, _INTRODUCE.encode())
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        watch(f"The authority does not know this server's account: {last}")
