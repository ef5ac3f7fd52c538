"""The server itself: is it the right machine, does it know its name, is it kept well?

Looks before anything is installed, then sets name, sources, clock and updates.
Opens no port and takes no mail.
Manuals: hostname(1), hosts(5), sources.list(5), timedatectl(1), apt.conf(5),
https://wiki.debian.org/UnattendedUpgrades
"""

from ispguide.chapter import Chapter
from ispguide.chapters._machine import (
    ADD_SUITES,
    KNOCK,
    LISTED,
    MAILERS,
    OTHERS,
    RESOLVER,
    STRANGERS,
    SUITES,
    WAITING,
)
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

chapter = Chapter("server", "The server itself", 2)


@chapter.step
def the_machine(s):
    """Before we carry anything in, we look at the house: right system, enough room,
    nobody else living there. Nothing is changed here. What is wrong at this point
    costs a minute now and an evening later, so the guide goes no further until it is
    put right."""
    yield Check(
        "this machine runs Debian 12",
        '. /etc/os-release; echo "$PRETTY_NAME"; [ "$ID $VERSION_ID" = "debian 12" ]',
        do="Take a server with Debian 12: every file of this guide was made for it.",
    )
    yield Check(
        "it was started by systemd and has a common processor",
        'echo "$(cat /proc/1/comm), $(uname -m)"; [ -d /run/systemd/system ]',
        answer="(x86_64|aarch64)$",
        do="Take an ordinary virtual server; a bare application container will not do.",
    )
    yield Check(
        "it has 1 GB of memory",
        "awk '/^MemTotal/ {print int($2/1024) \" MB\"; exit $2 < 900*1024}' /proc/meminfo",
        do="Give it 1 GB, or the database and the spam filter will push each other out.",
    )
    yield Check(
        "there is room on its disk: 3 GB to begin with, 500 MB when all is installed",
        "[ -x /usr/sbin/postfix ] && need=500 || need=3000\n"
        'df -Pm / /var | awk -v need=$need \'NR > 1 {print $4 " MB free on " $6}'
        " NR > 1 && $4 < need {bad = 1} END {exit bad}'",
        do="Free some space or take a larger disk; `du -xh / | sort -h | tail` shows what is big.",
    )
    yield Check(
        "there is room for many small files",
        "df -Pi / /var | awk 'NR > 1 && $2 > 0 && $4 < 50000"
        ' {print $4 " inodes free on " $6; bad = 1} END {exit bad}\'',
        do="A maildir is one file for each mail. Delete small files or take another disk.",
    )
    yield Check(
        "the ports of mail and web are free, or held by our own programs",
        STRANGERS,
        do="Two programs cannot answer one bell: stop or remove the other one first.",
    )
    yield Check(
        "no other mail program is installed",
        "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' "
        f"{MAILERS} 2>/dev/null | grep '^installed'; [ $? = 1 ]",
        do="Remove it (apt-get remove exim4-base, for example), if nobody needs it.",
    )


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
    # A rented server's cloud-init would write both files anew at the next start.
    yield Once(
        "cloud-init, where there is one, leaves the name alone",
        command="printf '%s\\n' '# Written by ispguide, chapter 02.' 'preserve_hostname: true' "
        "'manage_etc_hosts: false' > /etc/cloud/cloud.cfg.d/99-ispguide.cfg",
        unless="[ ! -d /etc/cloud/cloud.cfg.d ] || "
        "grep -qs 'manage_etc_hosts: false' /etc/cloud/cloud.cfg.d/99-ispguide.cfg",
        touches=("/etc/cloud/cloud.cfg.d/99-ispguide.cfg",),
    )


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
    the provider lets mail out, whether the address has a bad name from its last
    tenant. Where this cannot be tried, as on a practice server, the answer is
    `could not tell`, which is neither good nor bad."""
    yield Check(
        "a resolver answers",
        RESOLVER.format(name=s.domain),
        do="Look at /etc/resolv.conf: mail cannot leave without a resolver.",
    )
    yield Check(
        "port 25 of other servers can be reached",
        KNOCK.format(name=s.other_server),
        do="Your provider blocks outgoing mail. Ask to have it opened.",
    )
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
