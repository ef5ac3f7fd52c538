"""What each setting is called in a form, and one plain sentence about it."""

from __future__ import annotations

#: Setting → its label and its explanation.  A test asks for every setting.
WORDS: dict[str, tuple[str, str]] = {
    "hostname": (
        "name of the server",
        "The full name by which other servers know this computer; mail. and your domain is usual. "
        "It needs an address in the DNS, and the address must lead back to this name.",
    ),
    "domain": (
        "mail domain",
        "What stands behind the @ of the first mailbox. More domains are added in the chapter about people.",
    ),
    "postmaster": (
        "postmaster",
        "Who gets the server's own mail, and the notices of the authority that makes the certificate.",
    ),
    "tls": (
        "certificate",
        "Who vouches that this server is the one it says it is.",
    ),
    "acme_url": (
        "address of the authority",
        "Only for an authority of your own: its directory, a long address that begins with https.",
    ),
    "acme_ca": (
        "its root certificate",
        "Only for an authority of your own: a file on the server that vouches for that address. Empty: the system's.",
    ),
    "acme_name": (
        "its name in CAA records",
        "Only for an authority of your own: what it calls itself in the DNS, if it is known.",
    ),
    "timezone": (
        "time zone",
        "The clock by which the log is written. Type a city and choose; Etc/UTC is the same all year.",
    ),
    "pop3": (
        "POP3 beside IMAP",
        "Older mail programs fetch mail by POP3 and take it away with them. Nobody needs it who does not know it.",
    ),
    "message_size_mb": (
        "largest message, in MiB",
        "What is larger is refused while its sender still waits. Attachments grow by a third on their way.",
    ),
    "quotas": (
        "mailboxes have limits",
        "Without, a mailbox may fill the disk, and with it everybody's. What chapter 10 has set up already stays.",
    ),
    "quota_mb": (
        "a new mailbox holds, in MB",
        "A million bytes each; 0 is no limit. Mailboxes that are there already keep what they have.",
    ),
    "autoconfig": (
        "mail programs set themselves up",
        "Thunderbird, Outlook and Apple's devices learn server and ports from the address alone. Without it, people are told.",
    ),
    "webmail": (
        "mail in the browser",
        "Roundcube, a mail program in a web page, at your server's name. Without it, people need a program of their own.",
    ),
    "junk_days": (
        "days in Junk and Trash",
        "What lies longer in these two folders is removed for good.",
    ),
    "reject_score": (
        "refuse from this score on",
        "rspamd gives points for what looks like spam. With so many, a mail is refused at the door, and its sender is told.",
    ),
    "junk_score": (
        "into Junk from this score on",
        "With so many points a mail is taken, and filed into Junk.",
    ),
    "dkim_overlap_days": (
        "days an old key stays",
        "After a change of keys, the old public key stays in the DNS so long, for letters that are still on their way.",
    ),
    "dmarc_policy": (
        "forgeries in your name",
        "What others shall do with letters in your name that nothing vouches for. Raise it by one step when the reports are quiet.",
    ),
    "mta_sts": (
        "encryption on the way to you",
        "What other servers shall do who cannot encrypt, or find another name at your door. They fetch it from a page of yours.",
    ),
    "sni": (
        "server names for other domains",
        "mail.DOMAIN of each further mail domain gets a certificate of its own, so that people can type it. One name for all is enough.",
    ),
    "brute_force": (
        "guard the server",
        "Firewall, bans and limits. Without it, doors that nobody needs stay open, and guessers may go on.",
    ),
    "more_ports": (
        "other open ports",
        "Only if this server does more than mail: their numbers, like 8080, 51820/udp. Empty: mail, web and your SSH.",
    ),
    "ban_tries": (
        "guesses until shut out",
        "So many wrong passwords within one hour. A phone with an old password tries several times by itself, so do not be too strict.",
    ),
    "ban_minutes": (
        "minutes shut out",
        "The first time; each time after that it is double, up to a week.",
    ),
    "mails_per_hour": (
        "letters in an hour",
        "How many one person may send; every receiver counts. Whoever sends more is told to wait, and you get a letter.",
    ),
    "mails_per_day": (
        "letters in a day",
        "The same for a whole day. A newsletter to all members needs more than the usual.",
    ),
    "watching": (
        "watch over the server",
        "Every night the server looks at itself, and writes to the postmaster when something changed.",
    ),
    "log_days": (
        "days the log is kept",
        "So far back a letter can be followed. The log tells who wrote to whom, so keep it no longer than you need it.",
    ),
    "other_server": (
        "a server to knock at",
        "Only for a proof of chapter 2: at whose port 25 we knock to see whether mail may leave.",
    ),
    "block_list": (
        "block list to ask",
        "Only for a proof of chapter 2: which list is asked whether this server stands on it.",
    ),
    "smarthost": (
        "smarthost",
        "Only where port 25 is closed: the server through which all mail leaves, with its port if that is not 587. "
        "Empty: mail leaves by itself. The password is typed in chapter 12.",
    ),
    "smarthost_user": (
        "your name there",
        "Only with a smarthost: the name for the login, as its provider told you; often a mail address.",
    ),
    "smarthost_spf": (
        "its word for SPF",
        "Only with a smarthost: what its provider says to add to the SPF record, like include:spf.example.org.",
    ),
    "backup": (
        "backups",
        "A backup each night, encrypted. Leave it out only where somebody else makes them.",
    ),
    "backup_to": (
        "where they go",
        "Another machine that takes files over SFTP, as user@machine:folder. Empty: a folder on this server, "
        "which helps against mistakes, and not when the machine is lost.",
    ),
    "backup_port": (
        "its port",
        "Only with another machine: where its SSH listens. Nearly always 22; some providers of storage say 23.",
    ),
    "backup_fingerprint": (
        "its fingerprint",
        "Only with another machine: the fingerprint of its key, as its provider tells it, like SHA256:…",
    ),
    "backup_days": (
        "daily backups kept",
        "The last backup of each of so many days.",
    ),
    "backup_weeks": (
        "weekly backups kept",
        "The last backup of each of so many weeks; these reach further back.",
    ),
    "backup_months": (
        "monthly backups kept",
        "The last backup of each of so many months, for what you miss only in autumn.",
    ),
    "old_server": (
        "the older server",
        "Its address or name, if mail is to move from there to here. Empty: there is none.",
    ),
    "old_port": (
        "its port",
        "Only with an older server: where its SSH listens, nearly always 22.",
    ),
    "old_fingerprint": (
        "its fingerprint",
        "Only with an older server: the fingerprint of its key, like SHA256:…, as you see it on that machine itself.",
    ),
}


# What a setting with few choices offers: words for the reader, and the value kept.


#: The choices of a setting that has a few, in words.
CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "dmarc_policy": (
        ("not decided: as it stands in the DNS, none to begin with", ""),
        ("none: take them, and tell me", "none"),
        ("quarantine: put them into Junk", "quarantine"),
        ("reject: refuse them", "reject"),
    ),
    "mta_sts": (
        ("testing: bring the mail, and report it", "testing"),
        ("enforce: keep it back until it is safe", "enforce"),
        ("none: no longer, forget what I said", "none"),
        ("leave it out", ""),
    ),
    "tls": (
        ("Let's Encrypt: free, and every program trusts it", "letsencrypt"),
        ("an authority of your own, by its ACME address", "acme-url"),
        ("self-signed: every program will warn", "self-signed"),
    ),
}
