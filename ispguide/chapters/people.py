"""People: who lives here, who may do what, and which addresses every domain must have.

Day by day they are looked after with the forms, and with `./guide people …`; here
stands only what must be true whoever lives here.
Manuals: RFC 2142, RFC 5321 4.5.1, https://doc.dovecot.org/2.3/configuration_manual/authentication/
"""

from __future__ import annotations

from ispguide.chapters import quotas, sending
from ispguide.engine.chapter import Chapter
from ispguide.mail.checks import proved
from ispguide.mail.people.things import DeadEnds, Duties

chapter = Chapter(
    "people",
    "The people",
    18,
    needs=[sending.chapter, quotas.chapter],
    learn="How people come, change and go, who may send as whom, and which addresses a domain owes the world.",
    minutes=20,
)


@chapter.step
def duties(s):
    """Two addresses a domain owes the world: postmaster@, for those whose mail does not
    get through, and abuse@, for complaints. Somebody must read them, in each domain,
    also in the one you added last. They go to the postmaster of your settings, if he
    can be reached; else to the first person of the domain."""
    yield Duties(s.postmaster)


@chapter.proof
def prove(s):
    """Mailboxes come and go for this moment. A new one opens at once, without anything
    being restarted. A locked one opens for nobody and still takes mail. A forwarding
    to somewhere else is not a way to write in a stranger's name."""
    yield DeadEnds()
    yield proved("a new mailbox works at once", "works_at_once")
    yield proved("a locked mailbox lets nobody in, and takes mail", "locked_takes_mail")
    yield proved(
        "nobody sends as a neighbour (sender_login_maps)",
        "forged_sender_refused",
        "587",
    )
    yield proved("an alias may be used for sending", "alias_may_send", "587")
