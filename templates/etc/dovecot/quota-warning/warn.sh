#!/bin/sh
# Written by ispguide, chapter 10: puts a warning into a mailbox that is getting full.
# Dovecot starts it as vmail, with the percentage and the mailbox. The words of the letter
# are in letter.txt, beside this file; change them there.
# "noenforcing": this one letter counts, but no limit keeps it out. Dovecot's statistics
# (stats_writer) are not for vmail to write, and would only complain.
set -eu
PERCENT=$1 MAILBOX=$2 DATE=$(date -R)
export PERCENT MAILBOX DATE
# Perl, because sed would take an & or a / of an address for a sign of its own.
perl -ne 'print if !/^#/ && s/\b(PERCENT|MAILBOX|DATE)\b/$ENV{$1}/g >= 0' \
  /etc/dovecot/quota-warning/letter.txt |
  /usr/lib/dovecot/dovecot-lda -d "$MAILBOX" -f "" \
    -o "plugin/quota=count:User quota:noenforcing" -o stats_writer_socket_path=
