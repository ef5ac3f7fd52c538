#!/bin/sh
# Written by ispguide, chapter 04: rings after each new certificate.
# Every program that showed the old one reads again. A reload cuts nobody's connection,
# and a program whose configuration is broken is left alone rather than stopped.

running() {
    systemctl is-active --quiet "$1"
}

if running apache2 && apache2ctl configtest; then
    systemctl reload apache2
fi
if running postfix@- && postfix check; then
    systemctl reload postfix
fi
if running dovecot && doveconf -n > /dev/null; then
    systemctl reload dovecot
fi
exit 0
