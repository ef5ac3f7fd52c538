"""DKIM: the keys on the server, their public halves in the DNS, who signs with which,
and how one key follows another without a letter going out unsigned.

Pure; what is there is asked on the server and at the name servers.  No private key is
ever read by anything but openssl and rspamd, on the server.
"""
