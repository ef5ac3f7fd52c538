"""Roundcube as people use it: read, write, a new password, a rule, an answer while away.

In Debian's Chromium, against the practice server, by the words and roles on the page.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from ispguide import lab, tasks
from ispguide.secret import Secret

from ..building import Built
from ..conftest import shell
from .reader import PICTURES

#: In this order: letters that were sent are read.
pytestmark = pytest.mark.story

ANNA, FIRST, SECOND = "anna@example.test", "a first long word", "another long word 2"
HOST = "https://mail.example.test"
#: Roundcube takes what it says away again, "Message sent" after half a second, and goes
#: on to another page: each tab keeps it.
KEEP_WHAT_IS_SAID = """new MutationObserver(() => {
    for (const { textContent: words } of document.querySelectorAll('#messagestack > *'))
        if (!sessionStorage.said?.includes(words))
            sessionStorage.said = `${sessionStorage.said ?? ''}${words}\n`
}).observe(document, { childList: true, subtree: true })"""


@pytest.fixture(scope="module")
def window(
    built: Built, start_chromium: Callable[..., Browser]
) -> Iterator[BrowserContext]:
    """Somebody's browser, in which the server's name leads to the practice server.

    What the page's script complains about, a broken rule of the browser too, is kept."""
    tasks.people_add(tasks.HERE, ANNA, Secret(FIRST))
    lab.friend.discard(ANNA)  # what Ben has of earlier days
    address = lab.status().as_dict()["seats"][0]["address"]
    rule = f"--host-resolver-rules=MAP mail.example.test {address}"
    with start_chromium(rule) as browser:
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, ignore_https_errors=True
        )
        context.add_init_script(KEEP_WHAT_IS_SAID)
        complaints = list[str]()
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        yield context
    tasks.people_remove(tasks.HERE, ANNA)
    shell(f"mariadb -e \"DELETE FROM roundcube.users WHERE username='{ANNA}'\"")
    shell("rm -rf /var/vmail/example.test/anna")
    assert not [c for c in complaints if "401" not in c], complaints


@pytest.fixture
def page(window: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab of Anna's, logged in.  What it still asks for ends with it; a page that is
    just going elsewhere has no picture, so a test ends where it stays."""
    window.clear_cookies()
    with window.new_page() as page:
        login(page, FIRST)
        inside(page)
        yield page
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"end-of-{request.node.name}.png")


def ready(page: Page | Frame) -> None:
    """Wait until Roundcube's script has begun and nothing it asks for is under way:
    before, and while it is busy, its buttons do nothing, and say nothing either."""
    page.wait_for_function("() => window.rcmail?.loaded && !rcmail.busy")


def visit(page: Page, where: str = "") -> None:
    page.goto(HOST + where)
    ready(page)


def login(page: Page, password: str) -> None:
    visit(page)
    page.get_by_role("textbox", name="Username").fill(ANNA)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Login").click()


def inside(page: Page) -> None:
    """Wait until the list of letters has come.  The server writes the page without it
    ("Mailbox is empty"): the script, when it begins, asks for it."""
    bar = page.get_by_role("toolbar", name="List navigation")
    expect(bar).to_be_visible()
    ready(page)
    expect(bar).to_contain_text(re.compile("Messages|empty"))


def told(page: Page, words: str) -> None:
    """Wait until Roundcube has said this in the corner."""
    page.wait_for_function("words => sessionStorage.said?.includes(words)", arg=words)


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def folder(name: str) -> list[str]:
    """The subjects in one of Anna's folders, as the server has them."""
    ask = f"doveadm -f flow fetch -u {ANNA} hdr.subject mailbox {name} all"
    return re.findall(r"hdr.subject=(.*)", shell(f"{ask} 2>/dev/null || true"))


def heard(subject: str) -> int:
    """How many such letters Ben has."""
    return sum(subject in letter.subject for letter in lab.friend.inbox())


def test_a_letter_is_read(page: Page) -> None:
    lab.friend.send(ANNA, "Tea on Sunday")
    wait_for(lambda: "Tea on Sunday" in folder("INBOX"))
    page.reload()
    inside(page)
    page.get_by_role("link", name="Tea on Sunday").click()
    letter = page.frame_locator("#messagecontframe")
    expect(letter.get_by_role("region", name="Message Body")).to_contain_text("tea")


def test_a_letter_is_written_and_arrives(page: Page) -> None:
    page.get_by_role("button", name="Compose").click()
    page.wait_for_url("**_action=compose**")
    ready(page)
    page.locator("ul.recipient-input input").first.fill("ben@friend.test")
    page.get_by_role("textbox", name="Subject").fill("From a browser")
    page.get_by_role("textbox", name="Message Body").fill("Written far from home.")
    page.locator("button.send").click()
    told(page, "Message sent successfully")
    inside(page)  # by itself, and half a second later
    assert "From a browser" in folder("Sent")
    wait_for(lambda: heard("From a browser") == 1)
    (letter,) = [x for x in lab.friend.inbox() if x.subject == "From a browser"]
    assert letter.verdict["dkim"] == letter.verdict["dmarc"] == "pass"
    assert "198.1" not in str(letter.message["X-Originating-IP"] or "")


def test_a_rule_files_a_letter(page: Page) -> None:
    visit(page, "/?_task=settings&_action=plugin.managesieve")
    page.get_by_role("button", name="Create").click()
    page.frame_locator("#filter-box").get_by_label("Filter name").wait_for()
    form = page.frame("filter-box")
    assert form
    ready(form)
    form.get_by_role("textbox", name="Filter name").fill("the club")
    form.locator("#rule_target0 ~ * input, #rule_op0 ~ * input").first.fill("Club news")
    form.locator("#action_mailbox0").select_option(label="Drafts")
    form.get_by_role("button", name="Save").click()
    told(page, "Filter saved successfully")
    lab.friend.send(ANNA, "Club news")
    wait_for(lambda: "Club news" in folder("Drafts"))
    assert "Club news" not in folder("INBOX")


def test_an_answer_while_away_is_sent_once(page: Page) -> None:
    visit(page, "/?_task=settings&_action=plugin.managesieve-vacation")
    page.get_by_role("textbox", name="Subject").fill("I am at the sea")
    page.get_by_role("textbox", name="Body", exact=True).fill("Back in September.")
    page.get_by_role("combobox", name="Status").select_option("On")
    page.get_by_role("button", name="Save").click()
    told(page, "Out-of-office data saved")
    lab.friend.send(ANNA, "Are you there")
    wait_for(lambda: heard("I am at the sea") == 1)
    lab.friend.send(ANNA, "Are you there now")
    wait_for(lambda: "Are you there now" in folder("INBOX"))
    wait_for(lambda: "empty" in shell("postqueue -p"))
    assert heard("I am at the sea") == 1


def test_a_short_password_is_refused_and_a_long_one_opens(page: Page) -> None:
    change(page, FIRST, "too short")
    told(page, "Password must be at least 12 characters long")
    change(page, "not the old one", SECOND)
    told(page, "Current password incorrect")
    change(page, FIRST, SECOND)
    told(page, "Successfully saved")
    stored = shell(
        'mariadb -Ne "SELECT password FROM mailserver.virtual_users '
        f"WHERE email='{ANNA}'\""
    )
    assert stored.startswith("{BLF-CRYPT}$2y$12$")
    page.goto("about:blank")  # what it still asks for ends here
    page.context.clear_cookies()
    login(page, FIRST)
    told(page, "Login failed")
    login(page, SECOND)
    inside(page)
    shell(f"printf '%s\\n' '{SECOND}' | doveadm auth test {ANNA}")


def change(page: Page, old: str, new: str) -> None:
    visit(page, "/?_task=settings&_action=plugin.password")
    page.get_by_role("textbox", name="Current Password").fill(old)
    page.get_by_role("textbox", name="New Password:", exact=True).fill(new)
    page.get_by_role("textbox", name="Confirm New Password").fill(new)
    page.get_by_role("button", name="Save").click()
