"""The server itself: is it the right machine, does it know its name, is it kept well?

Looks before anything is installed, then sets name, sources, clock and updates.
Opens no port and takes no mail.
Manuals: hostname(1), hosts(5), sources.list(5), timedatectl(1), apt.conf(5),
https://wiki.debian.org/UnattendedUpgrades
"""

from ispguide.chapter import Chapter
from ispguide.chapters._machine import (
    ADD_SUITES,
    CLOUD_INIT,
    DEBIAN_12,
    DISK,
    LISTED,
    MEMORY,
    OTHER_MAILERS,
    OTHERS,
    PORTS,
    RESOLVER,
    SMALL_FILES,
    SUITES,
    SYSTEMD,
    WAITING,
    port_25,
)
from ispguide.chapters._words import proved
from ispguide.things import (
    Check,
    Directory,
    File,
    Link,
    Once,
    Packages,
    Service,
    apt_install,
)

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
    the server makes lie beside it, for root alone."""
    yield Directory("/etc/ispguide", mode=0o755)
    yield File("/etc/ispguide/settings.toml", text=s.to_toml(), mode=0o600)


@chapter.step
def the_name(s):
    """When two mail servers meet, they say their names first, and `localhost` is no
    introduction. The name also must be found without asking anybody: a program that
    waits for its own name makes every command ten seconds slower. So it stands in
    /etc/hosts, the full name before the short one, above the lines you have there."""
    short = s.hostname.partition(".")[0]
    yield Once(
        f"the machine is called {s.hostname}",
        command=f"echo {s.hostname} > /etc/hostname\n"
        f"[ $(hostname) = {s.hostname} ] || hostname {s.hostname}",
        unless=f"grep -qxE '{s.hostname}|{short}' /etc/hostname && "
        f"hostname | grep -xE '{s.hostname}|{short}'",
        touches=("/etc/hostname",),
    )
    # In place, not renamed: container engines bind this file from outside.
    yield Once(
        f"hostname -f answers {s.hostname}, from /etc/hosts",
        command="rest=$(grep -v '# ispguide$' /etc/hosts || true)\n"
        f"printf '127.0.1.1 {s.hostname} {short} # ispguide\\n%s\\n' \"$rest\" > /etc/hosts",
        unless=f"getent -s files hosts {s.hostname} && hostname -f | grep -xF {s.hostname}",
        touches=("/etc/hosts",),
    )
    yield CLOUD_INIT


@chapter.step
def sources(s):
    """Debian 12 is called bookworm, and its software stands on three shelves: the
    release, its small corrections, its security fixes. All three are needed, and
    nothing newer. A source that says `stable` looks harmless until the day it means
    the next Debian. Your mirror stays; only a missing shelf is added beside it."""
    yield Once(
        "bookworm, bookworm-updates and bookworm-security are among the sources of apt",
        command=ADD_SUITES,
        unless=f"[ $({SUITES} | grep -xE 'bookworm(-updates|-security)?' | sort -u | wc -l) = 3 ]",
        touches=("/etc/apt/sources.list.d/ispguide.list",),
    )
    yield Check(
        "no source leads to another Debian",
        f"{SUITES} | sort -u | grep -E '{OTHERS}'; [ $? = 1 ]",
        do="Write bookworm in its place in /etc/apt/sources.list or the files beside it.",
    )


@chapter.step
def the_clock(s):
    """A certificate is valid from one moment to another, and each mail carries its
    time. A clock that is wrong makes good certificates bad. Whoever keeps your clock
    already may go on; else systemd-timesyncd does. A container borrows the clock of
    its host and has nothing to set."""
    yield Once(
        "the clock is kept right over the network",
        command=apt_install(["systemd-timesyncd"]) + "\ntimedatectl set-ntp true",
        unless="systemd-detect-virt -qc || timedatectl show -p NTP --value | grep -x yes",
    )
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
    yield Check(
        "a resolver answers",
        RESOLVER.format(name=s.domain),
        do="Look at /etc/resolv.conf: mail cannot leave without a resolver.",
    )
    yield port_25(s)
    yield proved("the reverse name leads back to the server", "reverse_route")
    yield Check(
        "the address is on no block list",
        LISTED.format(name=s.block_list),
        do="See https://check.spamhaus.org/ for the reason and the way off it.",
    )
    yield Check(
        "no security update waits",
        WAITING,
        do="Run apt-get update && apt-get upgrade, or wait for tonight.",
    )
