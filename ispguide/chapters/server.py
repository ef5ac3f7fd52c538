"""The server itself: is it the right machine, does it know its name, is it kept well?

Looks before anything is installed, then sets name, sources, clock and updates.
Opens no port and takes no mail.
Manuals: hostname(1), hosts(5), sources.list(5), timedatectl(1), apt.conf(5),
https://wiki.debian.org/UnattendedUpgrades
"""

from __future__ import annotations

from ispguide.engine.chapter import Chapter
from ispguide.engine.things import (
    Check,
    Directory,
    File,
    Link,
    Once,
    Packages,
    Probe,
    Service,
    apt_install,
)
from ispguide.mail import programs
from ispguide.mail.checks import proved

# What the chapter `server` asks a machine, in the machine's own words.
#
# Shell and a little Python that only look, except ADD_SUITES.  They stand apart so that
# the chapter reads as a story.  Exit code 75 says "could not tell" (sysexits.h).


#: The suites apt is told to use, one a line, whatever form its files have.
SUITES = "apt-get indextargets --no-release-info --format '$(RELEASE)' 'Created-By: Packages'"

#: Suites that mean another system, today or on the day of the next release.
OTHERS = "^(stable|oldstable|testing|unstable|sid|trixie|forky|buster|bullseye)(-|$)"

#: Adds the missing shelves beside the one in use: same mirror, same signature.
ADD_SUITES = r"""
uri=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' \
  'Created-By: Packages' 'Release: bookworm' | head -n 1)
key=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  grep -io 'signed-by[=:] *[^] ]*debian-archive[^] ]*' | head -n 1 | sed 's/.*[=:] *//')
uri=${uri%/}
option=${key:+"[signed-by=$key] "}
{
  echo '# Written by ispguide, chapter 02: shelves that were missing beside your mirror.'
  for suite in bookworm-updates bookworm-security; do
    from=$uri
    [ $suite = bookworm-updates ] || from=$uri-security
    SUITES | grep -qx $suite || echo "deb $option$from $suite main"
  done
} > /etc/apt/sources.list.d/ispguide.list
apt-get -q update
""".replace("SUITES", SUITES)

#: Who listens on a port we need and is none of ours.  Nothing said: nobody.
STRANGERS = r"""
ss -Hltnp | awk '
  match($0, /"[^"]+"/) { name = substr($0, RSTART + 1, RLENGTH - 2); port = $4
    sub(/.*:/, "", port); ours = "master|apache2|dovecot|systemd|smtpd|init"
    if ((" 25 80 110 143 443 465 587 993 995 4190 " ~ " " port " ") && name !~ "^(" ours ")")
      { print "port " port " is held by " name; bad = 1 } }
  END { exit bad }'
"""

MAILERS = "exim4-daemon-light exim4-daemon-heavy sendmail-bin opensmtpd nullmailer ssmtp msmtp-mta"

DEBIAN_12 = Check(
    "this machine runs Debian 12",
    '. /etc/os-release; echo "$PRETTY_NAME"; [ "$ID $VERSION_ID" = "debian 12" ]',
    do="Take a server with Debian 12: every file of this guide was made for it.",
)

SYSTEMD = Check(
    "it was started by systemd and has a common processor",
    'echo "$(cat /proc/1/comm), $(uname -m)"; [ -d /run/systemd/system ]',
    answer="(x86_64|aarch64)$",
    do="Take an ordinary virtual server; a bare application container will not do.",
)

MEMORY = Check(
    "it has 1 GB of memory",
    "awk '/^MemTotal/ {print int($2/1024) \" MB\"; exit $2 < 900*1024}' /proc/meminfo",
    do="Give it 1 GB, or the database and the spam filter will push each other out.",
)

DISK = Check(
    "there is room on its disk: 3 GB to begin with, 500 MB when all is installed",
    "[ -x /usr/sbin/postfix ] && need=500 || need=3000\n"
    'df -Pm / /var | awk -v need=$need \'NR > 1 {print $4 " MB free on " $6}'
    " NR > 1 && $4 < need {bad = 1} END {exit bad}'",
    do="Free some space or take a larger disk; `du -xh / | sort -h | tail` shows what is big.",
)

SMALL_FILES = Check(
    "its disk has inodes left, for many small files",
    "df -Pi / /var | awk 'NR > 1 && $2 > 0 && $4 < 50000"
    ' {print $4 " inodes free on " $6; bad = 1} END {exit bad}\'',
    do="A maildir is one file for each mail. Delete small files or take another disk.",
)

PORTS = Check(
    "the ports of mail and web are free, or held by our own programs",
    STRANGERS,
    do="Two programs cannot answer one bell: stop or remove the other one first.",
)

OTHER_MAILERS = Check(
    "no other mail program is installed",
    "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' "
    f"{MAILERS} 2>/dev/null | grep '^installed'; [ $? = 1 ]",
    do="Remove it (apt-get remove exim4-base, for example), if nobody needs it.",
)

#: A rented server's cloud-init would write name and hosts anew at the next start.
CLOUD_INIT = Once(
    "cloud-init, where there is one, leaves the name alone",
    command="printf '%s\\n' '# Written by ispguide, chapter 02.' 'preserve_hostname: true' "
    "'manage_etc_hosts: false' > /etc/cloud/cloud.cfg.d/99-ispguide.cfg",
    unless="[ ! -d /etc/cloud/cloud.cfg.d ] || "
    "grep -qs 'manage_etc_hosts: false' /etc/cloud/cloud.cfg.d/99-ispguide.cfg",
    touches=("/etc/cloud/cloud.cfg.d/99-ispguide.cfg",),
)


def port_25(s) -> Probe:
    """With a smarthost, mail leaves by another port, and this one may be closed."""
    way = f"All mail leaves through {s.smarthost}, so port 25 does not matter"
    return Probe(
        "port 25 of other servers can be reached",
        "port_25",
        (s.other_server, way) if s.smarthost else (s.other_server,),
        do="Your provider blocks outgoing mail. Ask to have it opened, or use a "
        "smarthost (chapter 12).",
    )


#: Security fixes that wait.  They are shown, and tonight's timer installs them.
WAITING = """n=$(apt-get -s -o Debug::NoLocking=1 dist-upgrade | grep -c '^Inst.*Debian-Security')
echo "$n security updates wait"; [ "$n" = 0 ] || exit 75"""


def called(name: str) -> Once:
    """The kernel and /etc/hostname know the name, in full or its first part."""
    short = name.partition(".")[0]
    return Once(
        f"the machine is called {name}",
        command=f"echo {name} > /etc/hostname\n[ $(hostname) = {name} ] || hostname {name}",
        unless=f"grep -qxE '{name}|{short}' /etc/hostname && "
        f"hostname | grep -xE '{name}|{short}'",
        touches=("/etc/hostname",),
    )


def found_in_hosts(name: str) -> Once:
    """The name is found without asking anybody."""
    short = name.partition(".")[0]
    # In place, not renamed: container engines bind this file from outside.
    return Once(
        f"hostname -f answers {name}, from /etc/hosts",
        command="rest=$(grep -v '# ispguide$' /etc/hosts || true)\n"
        f"printf '127.0.1.1 {name} {short} # ispguide\\n%s\\n' \"$rest\" > /etc/hosts",
        unless=f"getent -s files hosts {name} && hostname -f | grep -xF {name}",
        touches=("/etc/hosts",),
    )


THREE_SHELVES = Once(
    "bookworm, bookworm-updates and bookworm-security are among the sources of apt",
    command=ADD_SUITES,
    unless=f"[ $({SUITES} | grep -xE 'bookworm(-updates|-security)?' | sort -u | wc -l) = 3 ]",
    touches=("/etc/apt/sources.list.d/ispguide.list",),
)

NO_OTHER_DEBIAN = Check(
    "no source of apt leads to another Debian",
    f"{SUITES} | sort -u | grep -E '{OTHERS}'; [ $? = 1 ]",
    do="Write bookworm in its place in /etc/apt/sources.list or the files beside it.",
)

CLOCK = Once(
    "the clock is kept right over the network (NTP)",
    command=apt_install(["systemd-timesyncd"]) + "\ntimedatectl set-ntp true",
    unless="systemd-detect-virt -qc || timedatectl show -p NTP --value | grep -x yes",
)


# The server itself: is it the right machine, does it know its name, is it kept well?


chapter = Chapter(
    "server",
    "The server itself",
    2,
    learn="How to see whether a machine can carry a mail server, and to give it its name, its clock and its updates.",
    minutes=10,
    settings=["timezone"],
)


@chapter.step
def the_machine(s):
    """Before we carry anything in, we look at the house: right system, enough room,
    nobody else living there. Nothing is changed here. What is wrong at this point
    costs a minute now and an evening later, so the guide goes no further until it is
    put right."""
    yield DEBIAN_12
    yield SYSTEMD
    yield MEMORY
    yield DISK
    yield SMALL_FILES
    yield PORTS
    yield OTHER_MAILERS


@chapter.step
def remember_settings(s):
    """What you decided is written on the server itself, so that another computer, or
    you in three years, can carry on from there. No password is in this file; those
    the server makes lie beside it, for root alone. What the guide's own programs on the
    server share lies in /usr/local/lib/ispguide."""
    yield Directory("/etc/ispguide", mode=0o755)
    yield File("/etc/ispguide/settings.toml", text=s.to_toml(), mode=0o600)
    yield from programs.modules(*programs.SHARED)


@chapter.step
def the_name(s):
    """When two mail servers meet, they say their names first, and `localhost` is no
    introduction. The name also must be found without asking anybody: a program that
    waits for its own name makes every command ten seconds slower. So it stands in
    /etc/hosts, the full name before the short one, above the lines you have there."""
    yield called(s.hostname)
    yield found_in_hosts(s.hostname)
    yield CLOUD_INIT


@chapter.step
def sources(s):
    """Debian 12 is called bookworm, and its software stands on three shelves: the
    release, its small corrections, its security fixes. All three are needed, and
    nothing newer. A source that says `stable` looks harmless until the day it means
    the next Debian. Your mirror stays; only a missing shelf is added beside it."""
    yield THREE_SHELVES
    yield NO_OTHER_DEBIAN


@chapter.step
def the_clock(s):
    """A certificate is valid from one moment to another, and each mail carries its
    time. A clock that is wrong makes good certificates bad. Whoever keeps your clock
    already may go on; else systemd-timesyncd does. A container borrows the clock of
    its host and has nothing to set."""
    yield CLOCK
    yield Packages("tzdata")
    yield Check(
        f"there is a time zone {s.timezone}",
        f"ls /usr/share/zoneinfo/{s.timezone}",
        do="Choose one that `timedatectl list-timezones` shows.",
    )
    yield Link("/etc/localtime", f"/usr/share/zoneinfo/{s.timezone}")
    yield File("/etc/timezone", text=f"{s.timezone}\n")


@chapter.step
def updates(s):
    """A mail server stands in the open day and night. When a hole is found, hours
    count, and you may be on holiday; so Debian's security fixes install themselves.
    Our wishes stand in a file of our own, so that no update ever stops to ask."""
    yield Packages("unattended-upgrades")
    yield File("/etc/apt/apt.conf.d/52ispguide-updates", s)
    yield Service("apt-daily.timer")
    yield Service("apt-daily-upgrade.timer")


@chapter.proof
def prove(s):
    """Some things can only be known by trying: whether a resolver answers, whether
    the provider lets mail out, whether the address has the server's name, or a bad
    one from its last tenant. Where this cannot be tried, as when a list is silent, the answer is
    `could not tell`, which is neither good nor bad."""
    yield Probe(
        "a DNS resolver answers",
        "resolves",
        (s.domain,),
        do="Look at /etc/resolv.conf: mail cannot leave without a resolver.",
    )
    yield port_25(s)
    yield proved("the reverse name (PTR) leads back to the server", "reverse_route")
    yield Probe(
        "the address is on no DNS block list",
        "listed",
        (s.block_list,),
        do="See https://check.spamhaus.org/ for the reason and the way off it.",
    )
    yield Check(
        "no security update waits",
        WAITING,
        do="Run apt-get update && apt-get upgrade, or wait for tonight.",
    )
