"""Commands about the mail that runs: bans, rotate, reports, smarthost, health, trace."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ispguide.cli.options import json_option, on_server
from ispguide.cli.people import stdin_option, typed
from ispguide.engine.errors import GuideError
from ispguide.engine.settings import Secret, Settings
from ispguide.mail.smarthost import left_behind

if TYPE_CHECKING:
    from ispguide.mail.log.way import Way
    from ispguide.tasks.base import OnServer


# `ispguide bans`: who is shut out, and to let one in again.


@click.group(invoke_without_command=True)
@json_option
@on_server
@click.pass_context
def bans(context: click.Context, as_json: bool, on: OnServer) -> None:
    """Who is shut out now, because they guessed passwords; see chapter 16."""
    if context.invoked_subcommand is None:
        from ispguide import tasks

        _show(
            on(tasks.bans_list),
            as_json,
        )


@bans.command()
@click.argument("address")
@json_option
@on_server
def lift(address: str, as_json: bool, on: OnServer) -> None:
    """Let ADDRESS in again, at once."""
    from ispguide import tasks

    left = on(tasks.bans_lift, address)
    if not as_json:
        click.echo(f"{address} is let in again.")
    _show(left, as_json)


def _show(found: Any, as_json: bool) -> None:
    from ispguide.mail.measures.bans import ban_lines

    if as_json:
        click.echo(json.dumps([asdict(ban) for ban in found]))
    else:
        click.echo("\n".join(ban_lines(found)))


# `ispguide rotate` and `ispguide reports`: keys that change, and what others write.


@click.command()
@click.argument("domain", default="")
@click.option("--look", is_flag=True, help="Only say where it stands.")
@json_option
@on_server
def rotate(domain: str, look: bool, as_json: bool, on: OnServer) -> None:
    """The next stage on the way to another DKIM key, of DOMAIN or the first domain.

    It may be left at any stage: where it stands is looked up each time."""
    from ispguide import tasks

    found = on(tasks.dkim_turns) if look else on(tasks.dkim_rotate, domain)
    mine = [turn for turn in found if domain in ("", turn.domain)]
    if as_json:
        click.echo(json.dumps([asdict(turn) for turn in mine]))
        return
    for turn in mine:
        click.echo("\n".join(_lines(turn)))


def _lines(turn: Any) -> list[str]:
    from ispguide.mail.dkim.rotation import STAGES, spoken

    key = f" signs with {turn.signing.selector}" if turn.signing else ""
    next_ = STAGES.get(turn.next, "look again")
    wait = f" ({spoken(turn.wait)})" if turn.wait else ""
    return [f"{turn.domain}{key}.", f"    Next: {next_}{wait}. {turn.why}"]


@click.command()
@json_option
@on_server
def reports(as_json: bool, on: OnServer) -> None:
    """What others report about letters in your name (DMARC)."""
    from ispguide import tasks
    from ispguide.mail.dmarc.reports import advice, lines

    found = on(tasks.dmarc_reports)
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo("\n".join(lines(found.reports, found.own)))
    click.echo(advice(found.reports, found.own, found.policy))


# `ispguide smarthost …`: through whom outgoing mail leaves, on the command line.


NEXT = "Now make it so: ./guide apply sending dns"


@click.command()
@click.argument("where", metavar="HOST[:PORT]", default="")
@click.option("--user", default="", help="The name for the login there.")
@click.option("--spf", default="", help="What its provider says to write into SPF.")
@click.option("--off", is_flag=True, help="Mail leaves by itself again.")
@stdin_option
@on_server
def smarthost(
    where: str,
    user: str,
    spf: str,
    off: bool,
    password_stdin: bool,
    on: OnServer,
) -> None:
    """Let all outgoing mail leave through HOST, with a login.

    The port is 587 where none is said.  The password is asked for, unseen; leave it
    empty to keep the one that the server knows already.
    """
    from ispguide import tasks

    if off == bool(where):
        raise GuideError(
            "It was not said what to do.",
            "Either a smarthost is named, or there is to be none.",
            "./guide smarthost HOST --user NAME, or ./guide smarthost --off",
            kind="not-said",
        )
    if off:
        both = on(tasks.smarthost_off)
        _kept("Mail is to leave by itself.", both)
        return
    secret = typed(password_stdin) or (None if password_stdin else _asked(where))
    both = on(tasks.smarthost_use, where, user, secret, spf)
    _kept(f"All mail is to leave through {where}.", both)


def _kept(said: str, both: tuple[Settings, Settings]) -> None:
    click.echo(f"{said} {NEXT}")
    if left := left_behind(*both):
        click.echo(left)


def _asked(where: str) -> Secret | None:
    text = click.prompt(
        f"Password at {where} (empty: as before)",
        default="",
        show_default=False,
        hide_input=True,
        err=True,
    )
    return Secret(text) if text else None


# The commands health and trace: how the server is, and where a letter went.


@click.command()
@json_option
@on_server
def health(as_json: bool, on: OnServer) -> None:
    """How the server is: fine, look or act, and what to do.  Exit 2: something to act on."""
    from ispguide import tasks
    from ispguide.mail.log.traffic import queue_words
    from ispguide.mail.measures.health import JUDGED, health_words, worst

    seen, waits = on(tasks.health)
    if as_json:
        found = {"state": worst(seen), "looks": [asdict(one) for one in seen],
                 "queue": [asdict(one) for one in waits]}  # fmt: skip
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo(health_words(seen))
        for one in seen:
            sign, word = JUDGED[one.state]
            click.echo(f"{sign} {word:14} {one.what:12} {one.words} {one.do}".rstrip())
        if waits:
            click.echo(queue_words(waits))
    sys.exit(2 if worst(seen) == "act" else 0)


@click.command()
@click.argument("what")
@click.option(
    "--days", default=0, help="How far back; by itself as long as the log is kept."
)
@json_option
@on_server
def trace(what: str, days: int, as_json: bool, on: OnServer) -> None:
    """The way of a letter.  WHAT: an address, a Message-ID or a queue id."""
    from ispguide import tasks

    ways = on(tasks.trace, what, days=days)
    if as_json:
        click.echo(
            json.dumps(
                [asdict(one) | {"fate": one.fate} for one in ways], ensure_ascii=False
            )
        )
        return
    short = len(ways) > FEW
    click.echo("\n\n".join(as_text(one, short) for one in ways) or NOTHING)
    if short:
        click.echo(
            f"\n{len(ways)} letters, so without their hops: ./guide trace NUMBER tells them."
        )


#: So many letters are told with all their hops.
FEW = 3
NOTHING = (
    "The journal knows no such letter. Either nobody brought it here, or it is longer ago "
    "than the journal is kept. Ask its sender for the answer that his server got."
)


def as_text(one: Way, short: bool = False) -> str:
    """The way of a letter in plain lines, with the clock of this computer."""
    from ispguide.mail.log.hops import HOP_STATES, STATIONS
    from ispguide.mail.log.way import FATES

    sign, word = FATES[one.fate]
    day = time.strftime("%d %b %Y, %H:%M:%S", time.localtime(one.begin))
    rows = [
        f"{sign} {word} · {day} · from {one.sender or 'unknown'} · {' '.join(one.names)}"
    ]
    for end in one.ends:
        rows.append(f"  {FATES[end.fate][0]} {end.to or 'everybody'}: {end.words}")
    for hop in () if short else one.hops:
        clock = time.strftime("%H:%M:%S", time.localtime(one.begin + hop.at))
        rows.append(
            f"    {clock}  {HOP_STATES[hop.state][0]} {STATIONS[hop.who]} {hop.what} · {hop.words}"
        )
    return "\n".join(rows)
