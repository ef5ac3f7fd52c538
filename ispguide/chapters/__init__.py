"""The table of contents, in reading order."""

from __future__ import annotations

from ispguide.chapters import (
    autoconfig,
    backup,
    brute_force,
    database,
    delivery,
    dkim,
    dns,
    dovecot,
    first_mail,
    moving,
    packages,
    people,
    postfix,
    quotas,
    sending,
    server,
    spam,
    tls,
    watching,
    webmail,
)
from ispguide.engine.chapter import Chapter

GUIDE: tuple[Chapter, ...] = (
    server.chapter,
    packages.chapter,
    tls.chapter,
    database.chapter,
    postfix.chapter,
    dovecot.chapter,
    delivery.chapter,
    first_mail.chapter,
    quotas.chapter,
    webmail.chapter,
    sending.chapter,
    spam.chapter,
    dns.chapter,
    dkim.chapter,
    brute_force.chapter,
    autoconfig.chapter,
    people.chapter,
    watching.chapter,
    backup.chapter,
    moving.chapter,
)
