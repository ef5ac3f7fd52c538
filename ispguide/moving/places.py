"""How the older server is reached, and what the move's files are called.  Pure.

It is reached by root over SSH, with a key made for this purpose and a host key that
the reader compared.  Sources: ssh_config(5), doveadm-sync(1).
"""

KEY = "/etc/ispguide/old_ed25519"
KNOWN = "/etc/ispguide/old_known_hosts"
ALIAS = "ispguide-old"
SSH = "/etc/ssh/ssh_config.d/ispguide-old.conf"
PROGRAM = "/usr/local/sbin/ispguide-move"
#: What the last look at both servers found.
STATE = "/var/lib/ispguide/moving.json"
