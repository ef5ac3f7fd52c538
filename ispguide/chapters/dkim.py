"""DKIM, SPF, DMARC: a seal on each letter, and what others shall do with those without.

The keys are made on the server and never leave it.  SPF itself is chapter 14's.
Manuals: RFC 6376 (DKIM), RFC 7208 (SPF), RFC 7489 (DMARC), RFC 8301,
https://docs.rspamd.com/modules/dkim_signing/ and .../dmarc/
"""

from __future__ import annotations

from ispguide.chapters import dns, spam
from ispguide.chapters.spam import LOCAL, rspamd
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, Directory, File, Once, Service
from ispguide.mail.checks import proved
from ispguide.mail.dkim.keys import FOLDER, HEAD, MAP
from ispguide.mail.dkim.records import DkimRecords
from ispguide.mail.dkim.things import DkimKeys, DkimSigners
from ispguide.mail.dmarc.things import DmarcPolicy, ReportsMailbox

chapter = Chapter(
    "dkim",
    "A seal on every letter",
    15,
    needs=[spam.chapter, dns.chapter],
    learn="How a letter proves whom it is from, what others shall do with forgeries, and how a key is changed without losing a letter.",
    minutes=30,
    settings=["dmarc_policy", "dkim_overlap_days"],
)

#: A letter of each domain on the list is shown to rspamd, as its own user would send
#: it; who is not signed for is named.
SIGNS = f"""bad=
for pair in $(sed 's/#.*//' {MAP} | awk 'NF == 2 {{ print $1 "/" $2 }}'); do
  domain=${{pair%/*}} selector=${{pair#*/}}
  said=$(printf 'From: someone@%s\\nTo: someone@%s\\nSubject: a letter\\n\\nHello.\\n' $domain $domain |
    rspamc -h {spam.SOCKET} -i 127.0.0.1 -F someone@$domain -u someone@$domain --mime symbols 2>&1) || true
  printf %s "$said" | tr -d '\\n\\t ' | grep -q "d=$domain;s=$selector;" ||
    bad="$bad $domain (selector $selector; rspamd said: $(printf %s "$said" | tr -s '\\n\\t ' ' ' | cut -c 1-300))"
done
[ -z "$bad" ] || {{ echo "no signature for:$bad"; exit 1; }}"""


LIST_OF_SIGNERS = Once(
    "there is a list of who signs (DKIM)",
    command=f"cat > {MAP} <<'END'\n{HEAD}END",
    unless=f"[ -e {MAP} ]",
    touches=(MAP,),
)


@chapter.step
def keys(s):
    """A seal has two halves: the stamp, which stays in your drawer, and its picture,
    which hangs in public, so that everybody can compare. The stamp is the private key.
    It is made on the server, it never leaves it, and only rspamd may use it. Each mail
    domain gets its own, of 2048 bits."""
    yield Directory(FOLDER, mode=0o750, group="_rspamd")
    yield DkimKeys(s.domain)


@chapter.step
def signing(s):
    """rspamd sees each letter anyway, so it also puts the seal on: on those of people
    who have logged in, and on what the machine itself writes. A list says which key
    signs for which domain. It is empty at first: a seal that nobody can compare yet
    would do more harm than none."""
    yield LIST_OF_SIGNERS
    yield File(f"{LOCAL}/dkim_signing.conf", s)
    yield rspamd(f"{LOCAL}/dkim_signing.conf")


@chapter.step
def public_keys(s):
    """Now the picture of the seal is hung up, in the DNS, at a name that begins with
    the key's own, its selector. The record is computed on the server from the private
    key, so the two cannot differ. Only when all name servers of the zone show it, the
    domain is put on the list, and its letters are signed from then on."""
    yield DkimRecords(s.domain)
    yield DkimSigners()
    yield Service(
        "rspamd",
        reads=(MAP,),
        test="rspamadm configtest",
        reload=True,
        ports=(11332, 11334),
    )


@chapter.step
def policy(s):
    """DMARC says what others shall do with a letter in your name that neither SPF nor
    DKIM vouches for: `none`, take it and tell me; `quarantine`, put it into Junk;
    `reject`, refuse it. It begins with `none`, and you raise it in the settings when
    the reports are quiet. What else stands in the record stays."""
    yield DmarcPolicy(s)


@chapter.step
def reports(s):
    """Large providers write once a day how many letters in your name they saw, from
    which machines, and which of them were vouched for. The letters are tables for
    programs, so they get a mailbox of their own, which nobody needs to log in to: the
    guide reads it and draws you a picture."""
    yield ReportsMailbox(s.domain)


@chapter.step
def forgeries(s):
    """What you ask of others you should do yourself. When a domain asks that forgeries
    be refused, they are refused here too, while the forger waits on the line. That
    protects your people from letters in your own name as well."""
    yield File(f"{LOCAL}/dmarc.conf", s)
    yield rspamd(f"{LOCAL}/dmarc.conf")


@chapter.proof
def prove(s):
    """A letter is sent with a login, and its seal is compared with the public key, as
    a stranger would do it; then one word is changed, and the seal must break. A
    stranger at the door who writes in your name gets no seal. Every domain on the list
    is signed for. Where a provider elsewhere tells its verdict, as friend.test does, a
    letter of yours must pass there, and a forged one must meet what the policy asks."""
    yield Check(
        "rspamd signs (DKIM) for every domain on its list",
        SIGNS,
        do="The step `signing` writes its configuration, `keys` mends the rights of the "
        "keys; `journalctl -u rspamd | grep dkim` tells the rest.",
    )
    yield proved(
        "a letter sent with a login carries a DKIM signature that fits", "dkim_signed"
    )
    yield proved(
        "a stranger who writes in your name gets no DKIM signature",
        "inbound_not_signed",
    )
    yield proved(
        "a provider elsewhere finds our letters genuine (SPF, DKIM, DMARC)",
        "authenticated_elsewhere",
    )
    yield proved(
        "there a forged letter meets what the DMARC policy asks", "forgery_judged"
    )
    yield proved("DMARC reports find their mailbox", "reports_taken")
