"""The door of quotas: is there room in the mailboxes behind an address?

Postfix asks at its door, before it takes a message (SMTPD_POLICY_README). Dovecot knows
how full a mailbox is, but not which mailboxes are behind a second name; the user database
knows that. So this asks the database first, and then Dovecot, once for each mailbox.
One of them is full: the message is refused. Nothing can be found out: it is taken.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping

POSTMAP = "/usr/sbin/postmap"
QUOTA_MAP = "mysql:/etc/postfix/mysql-quota-boxes.cf"
DOVECOT = "/run/dovecot/quota-status"
SECONDS = 5
#: What we ourselves write into a letter's head before it lies in its mailbox, in bytes.
OUR_LINES = 8000
NOTHING_AGAINST_IT = "DUNNO"


async def boxes(address: str) -> list[str]:
    """The mailboxes in which a letter to `address` ends."""
    asked = await asyncio.create_subprocess_exec(
        POSTMAP, "-q", address, QUOTA_MAP, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asked.communicate()
    return [box for box in said.decode().strip().split(",") if box]


async def quota_answer(box: str, size: int) -> str:
    """What Dovecot says about a letter of so many bytes; 0: nobody knows how many."""
    reader, writer = await asyncio.open_unix_connection(DOVECOT)
    try:
        asked = f"protocol_state=RCPT\nrecipient={box}\nsize={size + OUR_LINES}\n\n"
        writer.write(f"request=smtpd_access_policy\n{asked}".encode())
        said = await reader.readuntil(b"\n\n")
    finally:
        writer.close()
    return said.decode().strip().removeprefix("action=")


async def answer(asked: Mapping[str, str]) -> str:
    """The first no of the mailboxes behind the recipient, else nothing against it."""
    # At the end of a letter to several, Postfix names none of them: each was asked for.
    if "@" not in asked.get("recipient", ""):
        return NOTHING_AGAINST_IT
    for box in await boxes(asked["recipient"]):
        said = await quota_answer(box, int(asked.get("size") or 0))
        if said != NOTHING_AGAINST_IT:
            print(f"{box}: {said}", flush=True)
            return said
    return NOTHING_AGAINST_IT


async def serve(reader: StreamReader, writer: StreamWriter) -> None:
    """One process of Postfix; it asks again and again."""
    try:
        while True:
            text = (await reader.readuntil(b"\n\n")).decode(errors="replace")
            asked = dict(line.partition("=")[::2] for line in text.splitlines())
            try:
                said = await asyncio.wait_for(answer(asked), SECONDS)
            except (OSError, asyncio.IncompleteReadError) as why:
                print(f"could not tell: {why!r}", file=sys.stderr, flush=True)
                said = NOTHING_AGAINST_IT
            writer.write(f"action={said}\n\n".encode())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # Postfix has hung up, as it does when it is done
    finally:
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()
