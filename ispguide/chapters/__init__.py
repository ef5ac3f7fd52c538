"""The table of contents, in reading order."""

from ispguide.chapter import Chapter
from ispguide.chapters import (
    database,
    delivery,
    dovecot,
    first_mail,
    packages,
    postfix,
    sending,
    server,
    spam,
    tls,
)

GUIDE: tuple[Chapter, ...] = (
    server.chapter,
    packages.chapter,
    tls.chapter,
    database.chapter,
    postfix.chapter,
    dovecot.chapter,
    delivery.chapter,
    first_mail.chapter,
    sending.chapter,
    spam.chapter,
)
