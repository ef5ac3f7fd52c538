"""A server with people in it: letters, flags, folders, filters, what the filter learned.

Used where everything must come back or move house; it only adds.
"""

from __future__ import annotations

from ispguide import tasks
from ispguide.engine.settings import Secret

from .conftest import shell

#: Letters into folders of all kinds, marked as people mark them.
MESSAGES = r"""
i=0
for who in {people}; do
  for folder in INBOX Sent 'Projects' 'Projects.Österreich'; do
    [ "$folder" = INBOX ] || doveadm mailbox create -u $who "$folder" 2>/dev/null || true
    for n in $(seq {each}); do
      i=$((i+1))
      printf 'Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nFrom: <a@elsewhere.test>\r\nTo: <%s>\r\nSubject: letter %s\r\nMessage-ID: <f%s.%s@elsewhere.test>\r\n\r\nLetter %s to %s, with a word of its own: %s.\r\n' \
        $who $i $i $n $i $who $(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n') |
        doveadm save -u $who -m "$folder"
    done
  done
  doveadm flags add -u $who '\Seen' mailbox INBOX 1:2
  doveadm flags add -u $who '\Flagged $Label1' mailbox INBOX 1
  doveadm flags add -u $who '\Answered' mailbox Projects 1
  printf 'require "fileinto";\nif header :contains "subject" "bill" {{ fileinto "Projects"; }}\n' |
    doveadm sieve put -u $who bills
  doveadm sieve activate -u $who bills
done
"""

LEARN = """for n in 1 2 3; do printf 'Subject: win %s\n\ncheap pills and more pills %s\n' $n $n |
  rspamc -h /run/rspamd/learn.sock learn_spam; done"""


def furnish(*people: str, each: int = 2) -> None:
    """These mailboxes with `each` letters in each of their four folders."""
    lists = tasks.people_list(tasks.HERE)
    known = {row[0] for row in lists["mailboxes"]}
    for domain in {p.partition("@")[2] for p in people} - {
        r[0] for r in lists["domains"]
    }:
        tasks.people_add(tasks.HERE, domain)
    for address in people:
        if address not in known:
            tasks.people_add(tasks.HERE, address, Secret(f"secret of {address}"))
    tasks.people_alias(tasks.HERE, "sales@example.test", people[0])
    shell(MESSAGES.format(people=" ".join(people), each=each))
    shell(LEARN)
