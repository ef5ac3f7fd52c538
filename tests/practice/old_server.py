"""An older server beside the practice server: another container, as somebody has it who
followed the old guide by hand, with three domains.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ispguide.lab import world
from ispguide.lab.box import Box
from ispguide.lab.filling import filled, tar, values
from ispguide.lab.practice import current, image_of
from ispguide.lab.world import trusted

HOST, SELECTOR = 11, "2019122401"
DOMAINS = ("example.test", "second.test", "third.test")

#: What the guide knows of it goes; what remains is what the old guide makes.
OLD = r"""set -e
rm -rf /etc/ispguide /var/lib/ispguide /usr/local/sbin/ispguide-*
mariadb mailserver -e "ALTER TABLE virtual_users MODIFY quota INT NOT NULL DEFAULT 0;
  DELETE FROM virtual_users; DELETE FROM virtual_aliases;"
for d in {domains}; do mariadb mailserver -e "INSERT IGNORE INTO virtual_domains (name) VALUES ('$d')"; done
rm -f /var/lib/rspamd/dkim/*
cd /var/lib/rspamd/dkim
rspamadm dkim_keygen -b 1024 -d example.test -s {selector} -k example.test.{selector}.key > /dev/null
chown _rspamd:_rspamd *.key; chmod 0400 *.key
echo 'example.test {selector}' > /etc/rspamd/dkim_selectors.map
"""

#: What somebody keeps in his webmail there: words that would break out of anything.
WEBMAIL = """DELETE FROM users;
INSERT INTO users (user_id, username, mail_host, created, language, preferences)
  VALUES (70, 'person00@example.test', 'tls.old.test', NOW(), 'de_DE', 'a:1:{s:4:"skin";s:1:"x";}');
INSERT INTO identities (user_id, standard, name, email, signature)
  VALUES (70, 1, 'Person Null', 'person00@example.test', 'Grüße,\nNull');
INSERT INTO contacts (contact_id, user_id, name, email, vcard, words) VALUES
  (900, 70, 'O''Brien \\ "Söhne"', 'o.brien@elsewhere.test', 'BEGIN:VCARD\r\nFN:x\r\nEND:VCARD', NULL),
  (901, 70, '@user', 'at@elsewhere.test', '', '');
INSERT INTO contactgroups (contactgroup_id, user_id, name) VALUES (40, 70, 'Familie');
INSERT INTO contactgroupmembers (contactgroup_id, contact_id, created) VALUES (40, 901, NOW());
"""

#: Strangers are not asked to come again in five minutes: nobody waits so long here.
NO_GREYLIST = """echo 'enabled = false;' > /etc/rspamd/local.d/greylist.conf
systemctl restart rspamd"""

FILL = r"""
import crypt, os, pathlib, pwd, random, subprocess, time
people, each = {people!r}, {each}
vmail, rows = pwd.getpwnam("vmail"), []
for n, who in enumerate(people):
    name, _, domain = who.partition("@")
    kept = "{{BLF-CRYPT}}" + crypt.crypt("secret of " + who, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**5))
    rows.append(f"INSERT INTO virtual_users (domain_id, email, password, quota) SELECT id, '{{who}}', "
                f"'{{kept}}', {{n}}000000 FROM virtual_domains WHERE name='{{domain}}';")
    rows.append(f"INSERT INTO virtual_aliases (domain_id, source, destination) SELECT id, 'alias{{n}}@{{domain}}', "
                f"'{{who}}' FROM virtual_domains WHERE name='{{domain}}';")
    box = pathlib.Path("/var/vmail", domain, name, "Maildir")
    for i in range(each):
        folder = box / ("", ".Sent", ".Archive.2024", ".Projekte &- mehr")[i % 4]
        for sub in ("cur", "new", "tmp"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        text = (f"Date: Tue, 24 Nov 2026 10:00:00 +0000\nFrom: <a@elsewhere.test>\nTo: <{{who}}>\n"
                f"Subject: letter {{i}}\nMessage-ID: <old{{n}}.{{i}}@elsewhere.test>\n\nLetter {{i}} to {{who}}: {{random.random()}}\n")
        stamp = f"{{int(time.time())}}.M{{i:06}}P{{n:03}}.old,S={{len(text)}},W={{len(text) + text.count(chr(10))}}"
        (folder / "cur" / f"{{stamp}}:2,{{('', 'S', 'FS', 'RS')[i % 3]}}").write_text(text)
subprocess.run(["mariadb", "mailserver"], input="\n".join(rows), text=True, check=True)
subprocess.run(["chown", "-R", "vmail:vmail", "/var/vmail"], check=True)
"""


@dataclass(frozen=True)
class Old:
    """It, as a provider's console shows it."""

    box: Box
    address: str
    people: tuple[str, ...]

    def run(self, script: str) -> str:
        done = self.box.run(["sh", "-c", script])
        assert done.returncode == 0, f"{script}\n{done.stdout!r}\n{done.stderr!r}"
        return done.stdout.decode()


@contextmanager
def old_server(count: int, each: int) -> Iterator[Old]:
    """A copy of the built server, made old, with so many people, and `each` letters for
    everybody; gone when the block ends."""
    people = tuple(f"person{n:02}@{DOMAINS[n % 3]}" for n in range(count))
    lab = current()
    net = lab.network()
    box = Box(lab.engine, f"{lab.place.lab}-old", "old.example.test")
    box.remove()
    try:
        files = filled("mail", values(lab.place, net)) | trusted(lab.place)
        own = tar({k: v for k, v in files.items() if "hostname" not in k})
        box.create(image_of(lab.place.lab, "built"), net, HOST, lab.place.lab, [own])
        box.start()
        box.booted()
        old = Old(box, net.ip4(HOST), people)
        world.wait_for("its database", lambda: box.run(["mariadb", "-e", "SELECT 1"]).returncode == 0)  # fmt: skip
        old.run(OLD.format(domains=" ".join(DOMAINS), selector=SELECTOR))
        old.run(NO_GREYLIST)
        old.run(
            f"mariadb --default-character-set=utf8mb4 roundcube <<'END'\n{WEBMAIL}END"
        )
        old.run(f"python3 -c {shlex.quote(FILL.format(people=people, each=each))}")
        yield old
    finally:
        box.remove()
