"""Domains, mailboxes and aliases: what to ask and what to do, as data.

`addresses`: what is one.  `user_database`: what is asked, what is done, who may send
as whom.
`plan`: a whole file of people.  `things`: what should be true.
Does no I/O; `tasks.people` carries it out.
"""

from __future__ import annotations

from ispguide.mail.people.addresses import (
    LONGEST,
    typed,
    valid_address,
    valid_domain,
    valid_mailbox,
    valid_password,
)
from ispguide.mail.people.user_database import (
    ALIASES,
    DOMAINS,
    LISTS,
    MAILBOXES,
    NEW,
    Lists,
    add_alias,
    add_domain,
    add_mailbox,
    forget_alias,
    lists_of,
    recount,
    remove,
    remove_mail,
    set_enabled,
    set_password,
    set_quota,
)

__all__ = [
    "ALIASES",
    "DOMAINS",
    "LISTS",
    "LONGEST",
    "Lists",
    "MAILBOXES",
    "NEW",
    "add_alias",
    "add_domain",
    "add_mailbox",
    "forget_alias",
    "lists_of",
    "recount",
    "remove",
    "remove_mail",
    "set_enabled",
    "set_password",
    "set_quota",
    "typed",
    "valid_address",
    "valid_domain",
    "valid_mailbox",
    "valid_password",
]
