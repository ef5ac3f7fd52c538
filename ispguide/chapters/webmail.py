"""Webmail: a mail program that lives in a web page, Roundcube.

Reading, sending, the password, filter rules and the absence note, over the encrypted
site.  It keeps no mail of its own: it is a reader like any other, and comes through the
same doors.  Does not ban who guesses passwords; that is chapter 16.
Manuals: https://github.com/roundcube/roundcubemail/wiki,
https://www.php.net/manual/en/install.fpm.configuration.php, RFC 5804 (ManageSieve)
"""

from __future__ import annotations

from collections.abc import Iterator

from ispguide.chapters import delivery, dovecot, tls
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import (
    Check,
    Directory,
    File,
    Link,
    Once,
    Plain,
    Proof,
    ServerSecret,
    Service,
    UnitRead,
)
from ispguide.mail.checks import proved
from ispguide.mail.mariadb import Database, SqlUser

chapter = Chapter(
    "webmail",
    "Mail in the browser",
    11,
    needs=[delivery.chapter],
    learn="How people read, sort and answer their mail in a browser, and change their own password there.",
    minutes=20,
    settings=["webmail"],
    former={"workshop": "php_fpm_pool", "its_own_book": "roundcube_database"},
)

PHP = "8.2"  #: the version of Debian 12
POOLS = f"/etc/php/{PHP}/fpm/pool.d"
SOCKET = "/run/php/ispguide-webmail.sock"
FOLDER = "/etc/roundcube/ispguide"
PUBLIC = "/var/lib/roundcube/public_html"
PLUGIN = "/var/lib/roundcube/plugins/ispguide_address"
UNITS = "/etc/systemd/system"
TIMERS = ("roundcube-gc", "roundcube-cleandb")
LEAST = 12  #: characters of a password

#: As Debian ships them: the tables, and what has changed in them since.
SQL = "/usr/share/roundcube/SQL"
NOW = "mariadb -N roundcube -e \"SELECT value FROM system WHERE name='roundcube-version'\""
TABLES = f"""version=$({NOW} 2>/dev/null) || version=
if [ -z "$version" ]; then
  mariadb roundcube < {SQL}/mysql.initial.sql
else
  for file in {SQL}/mysql/*.sql; do
    number=$(basename "$file" .sql)
    [ "$number" -le "$version" ] || mariadb roundcube < "$file"
  done
  mariadb roundcube -e "UPDATE system SET value='$number' WHERE name='roundcube-version'"
fi"""

#: Looks at the address book through the eyes of the hand that writes passwords.
PASSWORD_LOGIN = """[client]
user=webmail-password
password=⟦webmail-password⟧
"""
AS_PASSWORD_USER = "exec 3<&0; mariadb --defaults-extra-file=/dev/fd/3 -N mailserver -e"


def php(*reads: str) -> Service:
    """The workshop for PHP, which must have read these files of a step."""
    return Service(f"php{PHP}-fpm", reads, test=f"php-fpm{PHP} -t", reload=True)


def ours(path: str, s) -> File:
    """A file with a password in it, for root and the web server alone."""
    return File(
        f"{FOLDER}/{path}", s, mode=0o640, group="www-data", folder=FOLDER, least=LEAST
    )


TABLES_OF_ITS_VERSION = Once(
    "Roundcube's tables are those of its version",
    command=TABLES,
    unless=f"grep -qF \"('roundcube-version', '$({NOW})')\" {SQL}/mysql.initial.sql",
)

PASSWORD_USER_READS_NONE = Check(
    "the database user webmail-password can read no password",
    f'{AS_PASSWORD_USER} "SELECT password FROM virtual_users" 2>&1; [ $? = 1 ]',
    answer="command denied",
    stdin=PASSWORD_LOGIN,
    do="Run the step `passwords`: it takes back every right too many.",
)

PASSWORD_USER_MAKES_NONE = Check(
    "the database user webmail-password makes no mailbox",
    f"{AS_PASSWORD_USER} \"DELETE FROM virtual_users WHERE email=''\" 2>&1; [ $? = 1 ]",
    answer="DELETE command denied",
    stdin=PASSWORD_LOGIN,
    do="Run the step `passwords`: it takes back every right too many.",
)


def timers_know_the_folder(s) -> Iterator[Plain]:
    """Debian's timers for Roundcube read our settings, too."""
    for unit in TIMERS:
        yield File(f"{UNITS}/{unit}.service.d/ispguide.conf", s, folder=FOLDER)
        yield UnitRead(f"{unit}.service")


@chapter.step
def php_fpm_pool(s):
    """Roundcube is written in PHP. It does not run inside Apache, but in a workshop
    beside it, PHP-FPM: so Apache stays small and quick, and what goes wrong there ends
    there. Workers come when somebody reads mail, five at most, and go home afterwards.
    An attachment may be as large as your largest message. And no page can start a
    program, because Roundcube needs none."""
    yield File(f"{POOLS}/ispguide-webmail.conf", s, socket=SOCKET, folder=FOLDER)
    yield File(f"{POOLS}/zz-ispguide-www.conf", s)
    yield php(POOLS)


@chapter.step
def roundcube_database(s):
    """Roundcube remembers people's contacts, preferences and sessions, in a database of
    its own. The user for it may read and write there, cannot change the tables, and
    does not even see the address book. No mail lies in it: losing it would lose contacts
    and nothing else."""
    yield ServerSecret("roundcube")
    yield Database("roundcube")
    rights = "SELECT, INSERT, UPDATE, DELETE ON `roundcube`.*"
    yield SqlUser("roundcube", "localhost", "roundcube", (rights,))
    yield TABLES_OF_ITS_VERSION


@chapter.step
def roundcube(s):
    """Its settings lie in a folder of ours; Debian's stay as they came, so an upgrade has
    nothing to ask. Roundcube reads by IMAP and sends through port 587, with the name
    and password of whoever sits there. So what is forbidden to a mail program is
    forbidden here too. It also says from where that person comes, so that wrong guesses slow
    down the one who makes them and nobody else. A password must wait somewhere while its owner reads: it lies
    in the session, locked with a key made on this server."""
    yield ServerSecret("roundcube-session", length=32)
    yield Directory(FOLDER)
    yield Directory(f"{FOLDER}/parts")
    yield Link(f"{FOLDER}/defaults.inc.php", "../defaults.inc.php")
    yield Link(f"{FOLDER}/mimetypes.php", "../mimetypes.php")
    yield ours("config.inc.php", s)
    yield Directory(PLUGIN)
    yield File(f"{PLUGIN}/ispguide_address.php", s)
    yield from timers_know_the_folder(s)
    yield php(FOLDER, PLUGIN)
    yield File(f"{dovecot.CONF}/99-ispguide-webmail.conf", s)
    yield dovecot.dovecot(s, f"{dovecot.CONF}/99-ispguide-webmail.conf")


@chapter.step
def passwords(s):
    """People change their password themselves, and you never need to know it. Roundcube
    writes it into the address book through a hand of its own, which may look up an
    address and write a password, and can neither read a hash nor make a mailbox. Twelve
    characters at least, because everybody in the world may guess here."""
    yield ServerSecret("webmail-password")
    rights = "SELECT (`email`), UPDATE (`password`) ON `mailserver`.`virtual_users`"
    yield SqlUser("webmail-password", "localhost", "webmail-password", (rights,))
    yield ours("parts/password.php", s)
    yield php(FOLDER)


@chapter.step
def filters(s):
    """Letters from the club into a folder, an answer while you are away: rules of Anna's
    own, which run when a letter arrives, whether or not her computer is on. Roundcube
    writes them through Dovecot's door for filter rules, which nobody outside can reach.
    An absence note goes to each person once a week, not to each letter."""
    yield File(f"{FOLDER}/parts/filters.php", s)
    yield php(FOLDER)


@chapter.step
def web_site(s):
    """Only now does the door open: the encrypted site shows Roundcube, where a friendly
    empty page was. One script runs; whatever else lies there is not shown. And the
    browser gets rules along: talk to this server alone, let nobody frame this page,
    tell nobody where you come from."""
    yield tls.modules("mpm_event", "proxy", "proxy_fcgi", "expires")
    yield File(
        f"{tls.APACHE}/ispguide-https.d/webmail.conf", s, public=PUBLIC, socket=SOCKET
    )
    yield tls.apache(f"{tls.APACHE}/ispguide-https.d/webmail.conf", ports=(80, 443))


@chapter.proof
def prove(s):
    """Somebody with a browser comes from outside: the right password opens the mailbox and
    a letter is read, a wrong one opens nothing. What the door hides stays hidden, and the
    browser gets its rules. The hand that writes passwords can do nothing else. Sending
    is proved in chapter 12, which opens its door."""
    yield proved("a letter is read in Roundcube", "webmail_reads")
    yield proved("a wrong password opens nothing in Roundcube", "webmail_refuses")
    yield proved("filter rules (Sieve) can be written in Roundcube", "webmail_filters")
    yield proved(
        "the browser gets its rules (Content-Security-Policy)", "webmail_headers"
    )
    yield proved("Roundcube's own files stay hidden", "webmail_hides")
    yield PASSWORD_USER_READS_NONE
    yield PASSWORD_USER_MAKES_NONE


def sends(s) -> Iterator[Proof]:
    """A letter written in the browser, where the reader wants one at all."""
    if s.webmail:
        yield proved("a letter written in Roundcube arrives", "webmail_sends")
