#!/bin/sh
# Written by ispguide, chapter 16: succeeds for an address that is never shut out.
# fail2ban asks before it counts a wrong guess.  An address from which somebody came in
# by SSH within the last week belongs to who keeps this server; he may mistype.  Only
# root can have written such a line.
address=$(printf %s "$1" | sed 's/[.]/[.]/g')
journalctl -q -n 1 -o cat --since=-7days SYSLOG_IDENTIFIER=sshd _UID=0 \
  --grep "^Accepted [a-z/-]+ for .+ from $address port [0-9]+ " | grep -q .
