"""Brings the people, keys and messages of an older server.

Each verb looks first and does only what is missing.  Nothing is ever deleted, on either
side.  Manuals: ssh(1), doveadm-sync(1), postconf(5) master_service_disable.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from .common import REDIS, Failed, redis_stopped, write_bytes

#: Asks one of the two servers: a shell script, and what it reads.
Side = Callable[..., str]
UserDatabase = dict[str, list[list[str]]]
State = dict[str, Any]

OLD = "ispguide-old"  # its address and keys: /etc/ssh/ssh_config.d/ispguide-old.conf
#: By the connection that `connected` holds open; without it, by one of its own.
SSH = ("ssh", "-S", f"/run/ispguide-move.{os.getpid()}")
STATE = Path("/var/lib/ispguide/moving.json")
DKIM = Path("/var/lib/rspamd/dkim")
SIGNERS = Path("/etc/rspamd/dkim_selectors.map")
CERTBOT = Path("/etc/letsencrypt")
#: Told, by certbot as well, when a certificate is new.
HOOK = CERTBOT / "renewal-hooks/deploy/ispguide.sh"
LINE = re.compile(r"\s*([^\s#]+)\s+([^\s#]+)")
LISTS = {
    "domains": "SELECT name FROM virtual_domains",
    "users": "SELECT email, password, quota FROM virtual_users",
    "aliases": "SELECT source, destination FROM virtual_aliases",
}
#: The same, where no quota was ever asked for.
NO_QUOTA = {"users": "SELECT email, password, 0 FROM virtual_users"}
PROOFS = "ispguide-proof-"


def call(*argv: str, stdin: str = "", good: Sequence[int] = (0,)) -> str:
    done = subprocess.run(argv, input=stdin.encode(), capture_output=True)
    out, err = (said.decode(errors="replace") for said in (done.stdout, done.stderr))
    if good and done.returncode not in good:
        name = " ".join(argv[:3]).replace(" ".join(SSH), f"ssh {OLD}")
        raise Failed(f"{name}: " + " / ".join((err or out).strip().splitlines()[-3:]))
    return out


def there(script: str, stdin: str = "", good: Sequence[int] = (0,)) -> str:
    """What a command says on the old server; `stdin` is what it reads."""
    return call(*SSH, OLD, script, stdin=stdin, good=good)


@contextmanager
def connected() -> Iterator[None]:
    """One connection for all that is asked there: to make one takes longer than most
    answers.  Where none comes about, the first question says why.  ssh(1), -M, -O."""
    quietly(*SSH, "-fNM", OLD)
    try:
        yield
    finally:
        quietly(*SSH, "-O", "exit", OLD)


def quietly(*argv: str) -> None:
    nobody = (
        subprocess.DEVNULL
    )  # who stays in the background would hold our output open
    subprocess.run(argv, stdin=nobody, stdout=nobody, stderr=nobody)


def here(script: str, stdin: str = "", good: Sequence[int] = (0,)) -> str:
    return call("sh", "-c", script, stdin=stdin, good=good)


# --- looking ------------------------------------------------------------------


def rows(side: Side, query: str, database: str = "mailserver") -> list[list[str]]:
    """Of the address book on one side; proofs' own mailboxes are nobody's."""
    said = side(
        f"mariadb --batch -N {database} 2>&1 || mysql --batch -N {database}",
        stdin=query + ";\n",
    )
    found = [line.split("\t") for line in said.splitlines()]
    return [row for row in found if not row[0].startswith(PROOFS)]


def user_database(side: Side) -> UserDatabase:
    lists = dict(LISTS)
    if not rows(side, "SHOW COLUMNS FROM virtual_users LIKE 'quota'"):
        lists |= NO_QUOTA
    return {name: rows(side, query) for name, query in lists.items()}


def webmail(side: Side) -> dict[str, int]:
    """{name: how many addresses he keeps in Roundcube}; {} where there is no Roundcube."""
    if not rows(side, "SHOW DATABASES LIKE 'roundcube'"):
        return {}
    return {who: int(n) for who, n in rows(side, OWNERS, "roundcube")}


OWNERS = "SELECT username, COUNT(contact_id) FROM users LEFT JOIN contacts USING (user_id) GROUP BY username"


def messages(side: Side, people: Iterable[str]) -> dict[str, int]:
    """{address: letters in all folders}, of these people."""
    said = side("doveadm -f tab mailbox status -A -t messages '*'", good=())
    found = dict(line.split("\t")[:2] for line in said.splitlines()[1:] if "\t" in line)
    return {who: int(found.get(who, 0)) for who in people}


def signers(side: Side) -> tuple[dict[str, str], dict[str, str]]:
    """{domain: selector} of rspamd's list, and hashes of the keys' files."""
    listed = side(f"cat {SIGNERS} 2>/dev/null; true")
    found = {m[1]: m[2] for m in map(LINE.match, listed.splitlines()) if m}
    sums = side(f"cd {DKIM} 2>/dev/null && sha256sum *.key; true")
    return found, {name: mark for mark, name in map(str.split, sums.splitlines())}


def door(side: Side) -> dict[str, Any]:
    """Whether it takes mail, and how many letters wait there.  ss(8), postqueue(1)"""
    listens = side("ss -Hltn 'sport = :25'").strip()
    return {"open": bool(listens), "queue": len(side("postqueue -j").splitlines())}


#: A line a value of certbot's list, of certificates that last a week more.
CERTIFICATES = """cd /etc/letsencrypt/renewal 2>/dev/null || exit 0
for f in *.conf; do
  openssl x509 -noout -checkend 604800 -in "../live/$(basename "$f" .conf)/cert.pem" > /dev/null 2>&1 &&
    grep -HE '^(account|server) *= *[^ ]+$' "$f"
done; true"""


def lineages(side: Side) -> dict[str, dict[str, str]]:
    """{name: {account, server}} of the certificates that certbot keeps there."""
    found: dict[str, dict[str, str]] = {}
    for line in side(CERTIFICATES).splitlines():
        file, _, value = line.partition(":")
        key, _, value = value.partition("=")
        found.setdefault(file.removesuffix(".conf"), {})[key.strip()] = value.strip()
    return {name: kept for name, kept in found.items() if len(kept) == 2}


def certificates(domains: Iterable[str]) -> dict[str, dict[str, str]]:
    """Those of the old server, for a name of this one, where no authority signed ours."""
    own = here("postconf -h myhostname").strip()
    names = [
        f"{word}.{d}"
        for d in domains
        for word in ("mail", "mta-sts", "autoconfig", "autodiscover")
    ]
    ours = lineages(here)
    return {
        n: kept
        for n, kept in lineages(there).items()
        if n in (own, *names) and n not in ours
    }


def look() -> State:
    before = json.loads(STATE.read_text()) if STATE.exists() else {}
    old, new = user_database(there), user_database(here)
    people = [row[0] for row in old["users"]]
    (listed, sums), (ours, mine) = signers(there), signers(here)
    wanted = {d: s for d, s in listed.items() if f"{d}.{s}.key" in sums}
    state: State = {
        "time": time.time(),
        "domains": [row[0] for row in old["domains"]],
        "missing": missing(old, new) | {"webmail users": webmail_missing()},
        "letters": {who: [n] for who, n in messages(there, people).items()},
        "keys": [
            d
            for d, s in wanted.items()
            if ours.get(d) != s or mine.get(f"{d}.{s}.key") != sums[f"{d}.{s}.key"]
        ],
        "signs": wanted,
        "certificates": list(certificates([row[0] for row in old["domains"]])),
        "old": door(there),
        "soft": here("postconf -h soft_bounce").strip() == "yes",
        "learned": before.get("learned", 0),
        "round": before.get("round", 0),
        "closed": before.get("closed", 0),
    }
    for who, n in messages(here, people).items():
        state["letters"][who].append(n)
    return keep(state)


def missing(old: UserDatabase, new: UserDatabase) -> dict[str, list[Any]]:
    """What the book there says and ours does not; a password that was changed here stays."""
    return {
        "domains": [r for r in old["domains"] if r not in new["domains"]],
        "users": [
            r[0] for r in old["users"] if r[0] not in {n[0] for n in new["users"]}
        ],
        "aliases": [r for r in old["aliases"] if r not in new["aliases"]],
    }


def webmail_missing() -> list[str]:
    """Who has nothing in our Roundcube, or no address there while he had some."""
    if not rows(here, "SHOW DATABASES LIKE 'roundcube'"):
        return []  # left out here by choice
    ours = webmail(here)
    return [
        who
        for who, n in webmail(there).items()
        if who not in ours or n and not ours[who]
    ]


def keep(state: State) -> State:
    STATE.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_bytes(STATE, json.dumps(state).encode(), 0o600, 0, 0)
    return state


# --- doing --------------------------------------------------------------------


def text(value: str) -> str:
    """A value for SQL that nothing can break out of."""
    return (
        f"CONVERT(0x{value.encode().hex() or '00'} USING utf8mb4) COLLATE utf8mb4_unicode_ci"
        if value
        else "''"
    )


def people() -> None:
    old, new = user_database(there), user_database(here)
    say = ["START TRANSACTION;"]
    say += [
        f"INSERT IGNORE INTO virtual_domains (name) VALUES ({text(r[0])});"
        for r in old["domains"]
    ]
    known = {row[0] for row in new["users"]}
    for address, password, quota in (r for r in old["users"] if r[0] not in known):
        say.append(
            of_domain(
                "virtual_users",
                "email, password, quota",
                f"{text(address)}, {text(password)}, {int(quota)}",
                address,
            )
        )
    for source, goes in (r for r in old["aliases"] if r not in new["aliases"]):
        say.append(
            of_domain(
                "virtual_aliases",
                "source, destination",
                f"{text(source)}, {text(goes)}",
                source,
            )
        )
    call("mariadb", "mailserver", stdin="\n".join([*say, "COMMIT;"]) + "\n")
    print(f"{len(old['users'])} mailboxes, {len(old['aliases'])} forwardings")
    for who in webmail_missing():
        call("mariadb", "roundcube", stdin="\n".join(webmail_of(who)))
        print(f"{who}: his webmail")


def of_domain(table: str, columns: str, values: str, address: str) -> str:
    domain = text(address.rpartition("@")[2])
    return (
        f"INSERT IGNORE INTO {table} (domain_id, {columns}) SELECT id, {values} "
        f"FROM virtual_domains WHERE name = {domain};"
    )


#: What Roundcube keeps of somebody → the column that numbers it.
KEPT = {
    "identities": "identity_id",
    "contacts": "contact_id",
    "contactgroups": "contactgroup_id",
    "responses": "response_id",
    "collected_addresses": "address_id",
}
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'roundcube' AND table_name = '{}'"


@cache
def common(table: str) -> list[str]:
    """The columns that both versions of Roundcube have."""
    ours, theirs = (
        {row[0] for row in rows(side, COLUMNS.format(table))} for side in (here, there)
    )
    return sorted(ours & theirs)


def of_webmail(table: str, columns: Sequence[str], where: str) -> list[list[Any]]:
    """Rows of Roundcube's over there, each a list in JSON: a text may have many lines."""
    listed = ", ".join(f"`{c}`" for c in columns)
    query = f"SELECT JSON_ARRAY({listed}) FROM {table} WHERE {where};\n"
    options = "--default-character-set=utf8mb4 --batch --raw -N roundcube"
    said = there(f"mariadb {options} 2>&1 || mysql {options}", stdin=query)
    return [json.loads(line) for line in said.splitlines()]


class Variable(str):
    """Of SQL, made here: it holds a number that was given here."""


def insert(table: str, columns: Sequence[str], row: Sequence[Any]) -> str:
    put = [
        "NULL" if v is None else v if isinstance(v, Variable) else text(str(v))
        for v in row
    ]
    return f"INSERT INTO {table} ({', '.join(f'`{c}`' for c in columns)}) VALUES ({', '.join(put)});"


def webmail_of(who: str) -> list[str]:
    """SQL that makes somebody's address book, identities and choices, with our numbers."""
    name = f"username = {text(who)}"
    say = ["START TRANSACTION;"]
    columns = [c for c in common("users") if c not in ("user_id", "mail_host")]
    known = who in webmail(here)
    for row in [] if known else of_webmail("users", columns, name)[-1:]:
        say.append(insert("users", [*columns, "mail_host"], [*row, "localhost"]))
    say.append(f"SET @user = (SELECT MAX(user_id) FROM users WHERE {name});")
    mine = f"user_id IN (SELECT user_id FROM users WHERE {name})"
    for table, number in KEPT.items():
        columns = [c for c in common(table) if c not in ("user_id", number)]
        if not columns or known and table != "contacts" and table != "contactgroups":
            continue
        for was, *row in of_webmail(table, [number, *columns], mine):
            say.append(insert(table, ["user_id", *columns], [Variable("@user"), *row]))
            say.append(f"SET @{table}{int(was)} = LAST_INSERT_ID();")
    groups = "contactgroup_id", "contact_id", "created"
    within = (
        f"contactgroup_id IN (SELECT contactgroup_id FROM contactgroups WHERE {mine})"
    )
    say += [
        insert(
            "contactgroupmembers",
            groups,
            [
                Variable(f"@contactgroups{int(g)}"),
                Variable(f"@contacts{int(c)}"),
                since,
            ],
        )
        for g, c, since in of_webmail("contactgroupmembers", groups, within)
    ]
    return [*say, "COMMIT;"]


def keys() -> None:
    """With their names, so that the records in the DNS stay right."""
    listed, sums = signers(there)
    ours, mine = signers(here)
    lines = SIGNERS.read_text().splitlines() if SIGNERS.exists() else []
    for domain, selector in listed.items():
        name = f"{domain}.{selector}.key"
        if name not in sums or not re.fullmatch(r"[\w.-]+", name):
            continue
        if mine.get(name) != sums[name]:
            put_key(DKIM / name, there(f"cat {DKIM}/{name}"), sums[name])
        if ours.get(domain) != selector:
            lines = [
                line
                for line in lines
                if not ((m := LINE.match(line)) and m[1] == domain)
            ]
            since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
            lines.append(f"{domain} {selector} # since {since}")
    if lines:
        SIGNERS.write_text("\n".join(lines) + "\n")
        call("systemctl", "reload", "rspamd")
    domains = [row[0] for row in user_database(there)["domains"]]
    brought = certificates(domains)
    for name, kept in brought.items():
        bring(name, kept)
    if brought and HOOK.exists():
        call(str(HOOK))
    learned()


def put_key(path: Path, content: str, wanted: str) -> None:
    if hashlib.sha256(content.encode()).hexdigest() != wanted:
        raise Failed(f"{path.name} did not come over whole.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o400)
    path.write_text(content)
    shutil.chown(path, "root", "_rspamd")
    path.chmod(0o440)


PIECES = ("cert", "chain", "fullchain", "privkey")
#: What certbot renews by; the words of the first line are looked for in chapter 4.
RENEWAL = """# Brought from the older server, by ispguide, chapter 21.
version = 2.1.0
archive_dir = {top}/archive/{name}
cert = {top}/live/{name}/cert.pem
privkey = {top}/live/{name}/privkey.pem
chain = {top}/live/{name}/chain.pem
fullchain = {top}/live/{name}/fullchain.pem

[renewalparams]
account = {account}
server = {server}
authenticator = webroot
webroot_path = /var/www/{own},
{kind}
reuse_key = True
[[webroot_map]]
{name} = /var/www/{own}
"""


def bring(name: str, kept: dict[str, str]) -> None:
    """A certificate with its key, and the account that renews it.  One that we signed
    ourselves for that name is put aside."""
    if not all(
        map(
            re.fullmatch,
            (r"\w[\w.-]*", r"\w+", r"https://\w[\w.:/-]*"),
            (name, kept["account"], kept["server"]),
        )
    ):
        raise Failed(
            f"The old server keeps the certificate of {name!r} in a strange way."
        )
    pem = {piece: there(f"cat {CERTBOT}/live/{name}/{piece}.pem") for piece in PIECES}
    if here("openssl x509 -noout -pubkey", pem["cert"]) != here(
        "openssl pkey -pubout", pem["privkey"]
    ):
        raise Failed(
            f"The certificate of {name} on the old server is not for the key beside it."
        )
    archive, live, new = (
        CERTBOT / part / name for part in ("archive", "live", "brought")
    )
    own, renewal = (
        here("postconf -h myhostname").strip(),
        CERTBOT / "renewal" / f"{name}.conf",
    )
    for folder in (archive, new, live.parent, renewal.parent):
        folder.mkdir(parents=True, exist_ok=True)
    for piece in PIECES:
        (archive / f"{piece}1.pem").write_text(pem[piece])
        link = new / f"{piece}.pem"
        link.unlink(missing_ok=True)
        link.symlink_to(f"../../archive/{name}/{piece}1.pem")
    account(kept)
    if live.exists():
        aside = CERTBOT / "before-move" / f"{name}-{int(time.time())}"
        aside.parent.mkdir(exist_ok=True)
        live.rename(aside)
    new.rename(live)
    renewal.write_text(
        RENEWAL.format(
            top=CERTBOT, name=name, own=own, kind=kind(pem["privkey"]), **kept
        )
    )


def kind(key: str) -> str:
    """What certbot must be told of a key, so that it keeps it."""
    said = here(
        "openssl pkey -noout -text | grep -E 'Private-Key|NIST CURVE'", stdin=key
    )
    size, curve = re.search(r"\((\d+) bit", said), re.search(r"P-(\d+)", said)
    if curve:
        return f"key_type = ecdsa\nelliptic_curve = secp{curve[1]}r1"
    if size:
        return f"key_type = rsa\nrsa_key_size = {size[1]}"
    raise Failed(
        "The key of the older server's certificate is neither RSA nor ECDSA, and certbot keeps no "
        "other.  Have one made there: certbot renew --key-type ecdsa --force-renewal.  Then go on here."
    )


def account(kept: dict[str, str]) -> None:
    """The authority knows its customer by a key; that of the old server is good here too."""
    folder = CERTBOT / "accounts" / kept["server"].partition("://")[2] / kept["account"]
    if folder.exists():
        return
    part = folder.with_name("part")
    part.mkdir(parents=True, exist_ok=True)
    for file in ("meta.json", "private_key.json", "regr.json"):
        (part / file).write_text(there(f"cat '{folder}/{file}'"))
    part.rename(folder)


#: Reads its own password, if there is one, and writes down what is in memory.
SAVE = r"""w=$(grep -rhs '^requirepass' /etc/redis | tail -n 1 | cut -d ' ' -f 2)
{ [ -z "$w" ] || printf 'AUTH %s\n' "$w"; echo SAVE; } | redis-cli | tail -n 1"""


def learned() -> None:
    """What the old spam filter has learned; once, because then ours learns by itself."""
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    if state.get("learned") or there(SAVE, good=()).strip() != "OK":
        return
    with redis_stopped():
        with open(REDIS.with_suffix(".new"), "wb") as file:
            subprocess.run([*SSH, OLD, f"cat {REDIS}"], stdout=file, check=True)
        shutil.chown(file.name, "redis", "redis")
        if REDIS.exists():
            REDIS.replace(REDIS.with_suffix(".before-move"))
        os.replace(file.name, REDIS)
    keep(state | {"learned": time.time()})


def mail() -> None:
    """One way, and merging: what has come here already stays, what is here is not fetched."""
    begin = time.time()
    people = [row[0] for row in user_database(there)["users"]]
    for who in people:
        for _ in range(3):  # 2: letters moved meanwhile, once more
            done = subprocess.run(
                [
                    "doveadm",
                    "sync",
                    "-1",
                    "-R",
                    "-u",
                    who,
                    *SSH,
                    OLD,
                    "doveadm",
                    "dsync-server",
                    "-u",
                    who,
                ],
                capture_output=True,
                text=True,
            )
            if done.returncode != 2:
                break
        if done.returncode:
            raise Failed(f"{who}: " + " / ".join(done.stderr.strip().splitlines()[-3:]))
        print(who, flush=True)
    keep(
        json.loads(STATE.read_text()) | {"round": begin}
        if STATE.exists()
        else {"round": begin}
    )


#: How Dovecot speaks to another provider, as one of its mail programs would.
IMAP = """!include /etc/dovecot/dovecot.conf
imapc_host = {host}
imapc_port = {port}
imapc_ssl = {ssl}
imapc_user = {user}
imapc_password = "{password}"
imapc_features = rfc822.size fetch-headers
ssl_client_ca_dir = /etc/ssl/certs
mail_prefetch_count = 20
"""


def imap(address: str, host: str, port: str, user: str) -> None:
    """One mailbox from a provider that only speaks IMAP; one way, and merging."""
    word = sys.stdin.readline().rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
    config = Path("/run/ispguide-imap.conf")
    ssl = "imaps" if port == "993" else "starttls"
    with open(
        os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
    ) as file:
        file.write(IMAP.format(host=host, port=port, ssl=ssl, user=user, password=word))
    try:
        call("doveadm", "-c", str(config), "sync", "-1", "-R", "-u", address, "imapc:")
    finally:
        config.unlink()
    print(f"{address}: {messages(here, [address])[address]} letters are here now")


#: A restriction of the old server that says "come again", before its own value.
AS_BEFORE = """set -e
was=$(postconf -h smtpd_end_of_data_restrictions)
case "$was" in
  defer,) postconf -X smtpd_end_of_data_restrictions ;;
  "defer, "*) postconf -e "smtpd_end_of_data_restrictions = ${was#defer, }" ;;
esac
"""
#: It is said to whoever comes now; whoever is just bringing a letter ends in peace, or in a
#: minute.  Cut off, they would bring once more what is in the queue already.
LATER = f"""{AS_BEFORE}
postconf -e "smtpd_end_of_data_restrictions = defer, $(postconf -h smtpd_end_of_data_restrictions)"
talking=$(pgrep -x smtpd || true)
postfix reload
timeout 60 sh -c 'for pid; do tail -s 0.1 -f --pid=$pid /dev/null; done' sh $talking || true
"""


def close() -> None:
    """Senders are not refused: nobody answers, so they keep their letters and come again.

    By reloads, because a stop kills who is just putting a letter into its mailbox, and it
    would be put there once more.  postfix(1), master(8), postconf(5) master_service_disable"""
    call("postconf", "-e", "soft_bounce = yes")
    call("systemctl", "reload", "postfix")
    there(LATER)
    there("postconf -e master_service_disable=inet && postfix reload")
    end = time.time() + 60
    while (now := door(there))["open"] or now["queue"]:
        if time.time() > end:
            if now["open"]:
                raise Failed(
                    "The old server still answers at port 25, though its Postfix was told to close. "
                    "Look there what listens: ss -ltnp 'sport = :25'"
                )
            break  # to other servers, which do not take them now
        there(
            "postqueue -f"
        )  # one that was under way is not tried again by itself for minutes
        time.sleep(2)
    # Not sooner: who comes before the door is shut would be heard, then cut off.
    there(AS_BEFORE)
    keep(json.loads(STATE.read_text()) | {"closed": time.time()})


def reopen() -> None:
    there(AS_BEFORE + "postconf -X master_service_disable\npostfix reload")
    finish()


def finish() -> None:
    call("postconf", "-e", "soft_bounce = no")
    call("systemctl", "reload", "postfix")


VERBS: dict[str, Callable[..., object]] = {
    "look": look,
    "people": people,
    "keys": keys,
    "mail": mail,
    "close": close,
    "open": reopen,
    "finish": finish,
}


#: Where the words are explained.
HEAD = "the head of /usr/local/sbin/ispguide-move"


def main(verb: str = "", *words: str) -> None:
    os.umask(0o077)
    try:
        if verb not in ("imap", *VERBS):
            raise Failed(f"It is one of {', '.join(VERBS)}, imap; see {HEAD}.")
        if verb == "imap":  # another provider, and no old server
            imap(*words)
            return
        with connected():
            VERBS[verb](*words)
            if verb != "look":
                look()
    except Failed as wrong:
        sys.exit(str(wrong))
