"""The address book: one place where domains, mailboxes and forwardings are written.

Postfix and Dovecot only read it; nobody reaches it from outside.
Holds no mail: that lies in files below /var/vmail.
Manuals: https://mariadb.com/kb/en/ (server system variables, GRANT, CREATE TABLE)
"""

from __future__ import annotations

from ispguide.chapters import packages
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, File, ServerSecret, Service
from ispguide.mail.mariadb import Database, SqlTable, SqlUser
from ispguide.mail.postfix import MailDomain

chapter = Chapter(
    "database",
    "The address book",
    5,
    needs=[packages.chapter],
    learn="Where domains, mailboxes and forwardings are written down, and who may read or write there.",
    minutes=10,
)

ID = "int(11) NOT NULL"
OF_DOMAIN = (
    "FOREIGN KEY (`domain_id`) REFERENCES `virtual_domains` (`id`) ON DELETE CASCADE"
)

DOMAINS = SqlTable(
    "mailserver",
    "virtual_domains",
    columns={"id": f"{ID} AUTO_INCREMENT", "name": "varchar(255) NOT NULL"},
    keys={"name": "UNIQUE KEY `name` (`name`)"},
)

USERS = SqlTable(
    "mailserver",
    "virtual_users",
    columns={
        "id": f"{ID} AUTO_INCREMENT",
        "domain_id": ID,
        "email": "varchar(320) NOT NULL",
        "password": "varchar(255) NOT NULL",
        "quota": "bigint(20) NOT NULL DEFAULT 0",
        "enabled": "tinyint(1) NOT NULL DEFAULT 1",
    },
    keys={
        "email": "UNIQUE KEY `email` (`email`)",
        "domain_id": "KEY `domain_id` (`domain_id`)",
        "domain": f"CONSTRAINT `virtual_users_ibfk_1` {OF_DOMAIN}",
    },
)

# The index on (source, destination) also serves every question for a source alone.
ALIASES = SqlTable(
    "mailserver",
    "virtual_aliases",
    columns={
        "id": f"{ID} AUTO_INCREMENT",
        "domain_id": ID,
        "source": "varchar(320) NOT NULL",
        "destination": "varchar(320) NOT NULL",
    },
    keys={
        "forwarding": "UNIQUE KEY `forwarding` (`source`,`destination`)",
        "domain_id": "KEY `domain_id` (`domain_id`)",
        "domain": f"CONSTRAINT `virtual_aliases_ibfk_1` {OF_DOMAIN}",
    },
)

#: Looks at the book through the eyes of the user who may only read.
READ = """[client]
user=mailserver
password=⟦mailserver⟧
host=127.0.0.1
"""
AS_READER = "exec 3<&0; mariadb --defaults-extra-file=/dev/fd/3 -N mailserver -e"


@chapter.step
def service(s):
    """MariaDB keeps the book. It listens to this machine alone: nobody outside has any
    business with it. It speaks all of Unicode, and its buffers are made small, because
    an address book is not a warehouse and the spam filter needs the memory more."""
    yield File("/etc/mysql/mariadb.conf.d/99-ispguide.cnf", s)
    yield Service(
        "mariadb",
        reads="/etc/mysql",
        test="mariadbd --help --verbose >/dev/null",
        ports=(3306,),
    )


@chapter.step
def users(s):
    """Two people may come to the book. The reader, mailserver, may look up and nothing
    else: Postfix and Dovecot use him, and what they cannot do, nobody who tricks them
    can do either. The clerk, mailadmin, may also write, and works on this machine
    only. Their passwords are made on the server and never leave it."""
    yield ServerSecret("mailserver")
    yield SqlUser(
        "mailserver", "127.0.0.1", "mailserver", ("SELECT ON `mailserver`.*",)
    )
    yield ServerSecret("mailadmin")
    rights = "SELECT, INSERT, UPDATE, DELETE ON `mailserver`.*"
    yield SqlUser("mailadmin", "localhost", "mailadmin", (rights,))


@chapter.step
def tables(s):
    """Three lists: the domains, the mailboxes in them, the forwardings. The database
    itself refuses nonsense: a domain twice, an address twice, a mailbox in a domain
    that does not exist. Delete a domain, and its mailboxes and forwardings go too;
    mail on the disk stays. A quota is in bytes, and 0 means no limit."""
    yield Database("mailserver")
    yield DOMAINS
    yield USERS
    yield ALIASES


@chapter.step
def first_domain(s):
    """One line in the book: the domain you take mail for. Mailboxes follow when there
    are people. More domains are more lines, and no program is restarted for them."""
    yield MailDomain(s.domain)


def reader_finds(domain: str) -> Check:
    """The reader's own question, with his password."""
    return Check(
        f"the database user mailserver finds {domain}",
        f"{AS_READER} \"SELECT name FROM virtual_domains WHERE name = '{domain}'\"",
        answer=f"^{domain}$",
        stdin=READ,
        do="Run the steps of this chapter again; `users` sets the password anew.",
    )


READER_WRITES_NOTHING = Check(
    "the database user mailserver may not write",
    f"{AS_READER} \"DELETE FROM virtual_domains WHERE name = ''\" 2>&1; [ $? = 1 ]",
    answer="DELETE command denied",
    stdin=READ,
    do="Run the step `users`: it takes back every right too many.",
)

INSIDE_ONLY = Check(
    "MariaDB listens to this machine alone",
    "ss -Hltn 'sport = :3306' | awk '{print $4}' | grep -v '^127.0.0.1:'; [ $? = 1 ]",
    do="Run the step `service`; then look for another bind-address below /etc/mysql.",
)


@chapter.proof
def prove(s):
    """We ask as the reader asks, with his password: he finds the domain, and when he
    tries to write, MariaDB refuses. And the door to the network is shut."""
    yield reader_finds(s.domain)
    yield READER_WRITES_NOTHING
    yield INSIDE_ONLY
