"""What is installed: every part of the mail server, from Debian itself.

Configures nothing; the chapters after this one do.
Manuals: apt-get(8), debconf-set-selections(1), policy of Debian security support.
"""

from __future__ import annotations

from ispguide.chapters import server
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, Packages
from ispguide.mail.packages import NOTHING_HALF_DONE, POSTFIX, ROUNDCUBE, chosen

chapter = Chapter(
    "packages",
    "What is installed",
    3,
    needs=[server.chapter],
    learn="Which programs a mail server is made of, and what each of them is for.",
    minutes=5,
    settings=["pop3"],
)


@chapter.step
def install(s):
    """All parts at once, because apt fetches twenty things nearly as fast as one.
    Recommendations are left out: what nobody chose, nobody will watch. Debian starts
    most services as soon as they are there. MariaDB, Redis and rspamd then listen to
    this machine alone, Apache shows its welcome page, Dovecot knows no mailbox, and
    Postfix, told to come without a configuration, does not start at all. So nothing
    stands open that could do harm until its own chapter sets it up."""
    yield NOTHING_HALF_DONE
    yield Packages(*chosen(s), preseed=[POSTFIX, *ROUNDCUBE])


@chapter.proof
def prove(s):
    """What apt installed is complete and agrees with itself. That the programs do
    what they should is proved from the next chapter on, by using them."""
    yield Check(
        "all that is installed fits together (apt-get check)",
        "apt-get -q check -o Debug::NoLocking=1",
        do="Run apt-get -f install and read what it says.",
    )
