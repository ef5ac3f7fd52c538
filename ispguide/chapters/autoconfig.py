"""Mail programs that set themselves up: which server, which doors, which encryption.

Each family of programs has its own question; one small page answers all of them, for
every mail domain, without knowing who lives there.  The records in the DNS that some
programs ask for are chapter 14's.
Sources: https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat,
[MS-OXDSCLI] and [MS-OXDISCO] (Outlook), RFC 6186 (SRV),
https://developer.apple.com/documentation/devicemanagement/mail
"""

from ispguide.chapter import Chapter
from ispguide.chapters import sending, tls, webmail
from ispguide.chapters._further import SITES
from ispguide.chapters._programs import FOLDER, SOCKET, doors, own_names
from ispguide.chapters._words import proved
from ispguide.things import Directory, File

chapter = Chapter(
    "autoconfig",
    "Mail programs that set themselves up",
    17,
    needs=[sending.chapter],
    learn="How a mail program finds server, ports and encryption when its owner knows only an address.",
    minutes=10,
    settings=["autoconfig"],
)

POOL = f"{webmail.POOLS}/ispguide-autoconfig.conf"
PLAIN = f"{SITES}/autoconfig-plain.conf"
PATHS = f"{tls.APACHE}/ispguide-https.d/autoconfig.conf"


@chapter.step
def the_answer(s):
    """Thunderbird, Outlook and Apple's devices ask in three languages for the same few
    facts. One script knows all three. It needs no list of people: whatever stands before
    the @, the doors are the same. So it asks no database, runs as nobody, and tells a
    stranger nothing about who lives in the house."""
    yield Directory(FOLDER)
    yield File(f"{FOLDER}/index.php", s, doors=doors(s))
    yield File(POOL, s, socket=SOCKET, folder=FOLDER)
    yield webmail.php(POOL, FOLDER)


@chapter.step
def where_they_ask(s):
    """Each language has its own address, written down by those who invented it. At the
    server's own name they lead to the script. Who asks without encryption at a name in
    front of your domain is sent there too: what comes unencrypted can be forged, and a
    forged answer would have your people say their passwords to somebody else."""
    yield tls.modules("proxy", "proxy_fcgi")
    yield File(PATHS, s, socket=SOCKET, folder=FOLDER)
    yield File(PLAIN, s)
    yield tls.apache(PATHS, PLAIN, ports=(80, 443))


@chapter.aside
def names(s):
    """Programs ask at autoconfig and autodiscover in front of the domain first, and
    encrypted. So each such name that leads here gets a certificate of its own, for all
    your mail domains. One that does not lead here yet gets none; you are told what to
    type, and the rest works all the same."""
    yield from own_names(s)


@chapter.proof
def prove(s):
    """Three strangers with nothing but an address and a password: one asks as Thunderbird
    does, one as Outlook, one as an iPhone. Each believes what it is told, goes to every
    door that was named, in the way that was named, and logs in. A fourth asks the DNS."""
    yield proved("Thunderbird finds every door, and gets in", "thunderbird_finds")
    yield proved("Outlook finds every door, and gets in", "outlook_finds")
    yield proved("an iPhone's profile names the right doors", "iphone_finds")
    yield proved("who asks the DNS finds the same doors", "dns_finds")
    yield proved("who asks unencrypted is sent to the encrypted site", "asked_plainly")
    yield proved("nobody learns who lives here", "tells_nobody")
