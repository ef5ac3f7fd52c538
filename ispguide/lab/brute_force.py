"""The program that guesses.  Runs in the practice internet, standard library only.

Arguments: service, server, own address, how many tries.  Says {tries, shut} in JSON.
Manuals: RFC 9051, RFC 1939, RFC 4954, ssh(1).
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

NAME, WRONG = "anna@example.test", "certainly-wrong"
PLAIN = base64.b64encode(f"\0{NAME}\0{WRONG}".encode()).decode()
PORTS = {"ssh": 22, "imap": 143, "imaps": 993, "pop3s": 995, "submission": 587}
PORTS |= {"submissions": 465, "webmail": 443}
#: Seconds until somebody who guessed enough is shut out.
PATIENCE = 12
#: What is said before TLS, and to log in, for each protocol; one line, one answer.
STARTTLS = {"imap": ["a STARTTLS"], "submission": ["EHLO guesser", "STARTTLS"]}
LOGIN = {
    "imap": [f"b AUTHENTICATE PLAIN {PLAIN}"],
    "pop3s": [f"AUTH PLAIN {PLAIN}"],
    "submission": ["EHLO guesser", f"AUTH PLAIN {PLAIN}"],
}
LOGIN |= {"imaps": LOGIN["imap"], "submissions": LOGIN["submission"]}
#: The end of an answer: a line with our tag, a code without a hyphen, or a sign.
ANSWER = re.compile(rb"^([ab*] (?:OK|NO|BAD)|\d{3} |[+-](?:OK|ERR)).*\r\n", re.M)
NO = (b"b NO", b"-ERR", b"535 ")


def trusting() -> ssl.SSLContext:
    """He does not care whom he talks to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def connected(service: str, server: str, own: str) -> socket.socket:
    """A connection from his address."""
    where = (server, PORTS[service])
    return socket.create_connection(where, 3, source_address=(own, 0))


def answer(connection: socket.socket, line: str = "") -> bytes:
    """Say a line, if there is one, and listen to the end of the answer."""
    connection.settimeout(25)
    connection.sendall(f"{line}\r\n".encode() if line else b"")
    heard = b""
    while not (found := ANSWER.search(heard)):
        more = connection.recv(4096)
        if not more:
            raise ConnectionResetError("hung up")
        heard += more
    return found[1]


def told(service: str, server: str, own: str) -> None:
    """One wrong password at a door of mail; an OSError when nobody answers."""
    with connected(service, server, own) as connection:
        for line in ["", *STARTTLS[service]] if service in STARTTLS else ():
            answer(connection, line)
        with trusting().wrap_socket(connection) as encrypted:
            lines = LOGIN[service] if service in STARTTLS else ["", *LOGIN[service]]
            said = [answer(encrypted, line) for line in lines][-1]
            if said not in NO:
                raise ConnectionResetError(f"told {said!r}")


def ssh_attempt(server: str, own: str) -> None:
    """Somebody whom nobody knows knocks with no key that counts."""
    options = "BatchMode=yes StrictHostKeyChecking=no UserKnownHostsFile=/dev/null"
    words = [w for option in options.split() for w in ("-o", option)]
    argv = ["ssh", "-b", own, *words, "-o", "ConnectTimeout=4", f"guesser@{server}"]
    said = subprocess.run([*argv, "true"], capture_output=True).stderr
    if b"Permission denied" not in said:
        raise ConnectionRefusedError(said.decode(errors="replace"))


def webmail_attempt(server: str, own: str) -> None:
    """The login page of Roundcube, filled in and sent."""
    web = http.client.HTTPSConnection(
        server, timeout=25, source_address=(own, 0), context=trusting()
    )
    web.request("GET", "/?_task=login")
    page = web.getresponse()
    token = re.search(rb'name="_token" value="(\w+)"', page.read())
    cookie = (page.headers.get("Set-Cookie") or "").partition(";")[0]
    if not token:
        sys.exit("there is no login page")
    body = f"_task=login&_action=login&_token={token[1].decode()}&_user={NAME}&_pass={WRONG}"
    head = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    web.request("POST", "/?_task=login", body.replace("@", "%40"), head)
    web.getresponse().read()


def tried(service: str, server: str, own: str) -> bool:
    """Whether a wrong password was answered."""
    try:
        if service == "ssh":
            ssh_attempt(server, own)
        elif service == "webmail":
            webmail_attempt(server, own)
        else:
            told(service, server, own)
    except OSError:
        return False
    return True


def shut(service: str, server: str, own: str, seconds: float) -> bool:
    """Whether nobody answers him any more, within so many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            connected(service, server, own).close()
        except OSError:
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.2)


def main(service: str, server: str, own: str, number: int) -> None:
    """Guess, look, and tell; without any guess, only look."""
    # sshd turns some away by chance when too many come at once.
    with ThreadPoolExecutor(4 if service == "ssh" else 10) as pool:
        jobs = [pool.submit(tried, service, server, own) for _ in range(number)]
        told = sum(job.result() for job in jobs)
    gone = shut(service, server, own, PATIENCE if number else 0)
    sys.stdout.write(json.dumps({"tries": told, "shut": gone}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
