"""Webmail on the practice server: an upgrade asks nothing, rights are as small as said.

What people do in it is clicked in tests/browser/test_webmail.py.
"""

from __future__ import annotations

import json

import pytest

from ispguide.chapters.webmail import FOLDER, SOCKET
from ispguide.engine.settings import Secret
from ispguide.proofs.context import opened
from ispguide.proofs.webmail import Webmail

from .conftest import bad, opened_at, proved, settled, shell

PACKAGES = "roundcube-core roundcube-plugins php8.2-fpm"


@pytest.fixture(scope="module")
def guide(mostly):
    with opened_at("mostly") as found:
        yield found


def proofs(guide) -> dict[str, str]:
    """Each proof of the chapter and its state."""
    return {f.thing: f.state for f in guide.prove("webmail")}


def sql(text: str) -> str:
    return shell(f'mariadb -Ne "{text}"')


def test_php_runs_beside_apache_and_asks_for_nothing_at_night(guide):
    modules = shell("ls /etc/apache2/mods-enabled")
    assert "mpm_event.load" in modules and "php" not in modules
    assert SOCKET in shell("ss -lx")
    assert not shell("dpkg -l 'libapache2-mod-php*' 2>/dev/null | grep ^ii || true")


@pytest.mark.thorough
def test_debians_files_stay_as_they_came(guide):
    """So the next upgrade has nothing to ask; and one really runs, and asks nothing."""
    changed = shell(f"dpkg -V {PACKAGES} || true")
    assert not changed, changed
    before = shell(f"cat {FOLDER}/config.inc.php | sha256sum")
    shell(f"dpkg-reconfigure -f noninteractive {PACKAGES} 2>&1")
    assert before == shell(f"cat {FOLDER}/config.inc.php | sha256sum")
    settled(guide)
    assert not shell("ls /etc/apache2/conf-enabled | grep -i roundcube || true")


def test_the_timers_find_the_settings(guide):
    shell("systemctl start roundcube-gc.service roundcube-cleandb.service")
    result = "systemctl show -p Result --value roundcube-gc roundcube-cleandb"
    assert set(shell(result).split()) == {"success"}


def test_passwords_are_for_root_and_the_web_server_alone(guide):
    for name in ("config.inc.php", "parts/password.php"):
        assert (
            shell(f"stat -c '%a %U:%G' {FOLDER}/{name}").strip() == "640 root:www-data"
        )
    grants = sql("SHOW GRANTS FOR 'webmail-password'@'localhost'").splitlines()
    assert [g.partition(" TO ")[0] for g in grants[1:]] == [
        "GRANT SELECT (`email`), UPDATE (`password`) ON `mailserver`.`virtual_users`"
    ]


def test_a_page_can_start_no_program_and_takes_what_a_letter_may_hold(guide):
    """Asked in Roundcube's own workshop, by a page that says what it can do there."""
    probe = f"{FOLDER}/parts/zz-probe.php"
    can = "[function_exists('exec'), ini_get('upload_max_filesize')]"
    shell(
        f"cat > {probe} <<'END'\n<?php if (isset($_GET['probe'])) "
        f"{{ echo json_encode({can}); exit; }}\nEND"
    )
    with opened(guide) as ctx:
        programs, upload = json.loads(Webmail(ctx).ask("/?probe=1").text)
    shell(f"rm {probe}")
    assert (programs, upload) == (False, f"{guide.settings.message_size_mb}M")


def test_the_proofs_leave_nothing_behind(guide):
    assert set(proofs(guide).values()) == {"ok"}
    assert sql("SELECT COUNT(*) FROM roundcube.users").strip() == "0"


def test_the_proofs_fail_where_they_should(guide):
    """The plugin for rules gone, the browser's rules lost, programs shown as texts."""
    site = "/etc/apache2/ispguide-https.d/webmail.conf"
    change = "/Content-Security/d; s/Require all denied/Require all granted/"
    shell(f"rm {FOLDER}/parts/filters.php; sed -i '{change}' {site}")
    # Not reloaded: that ends when both have only been told (systemd.service(5)).
    shell("systemctl restart apache2 php8.2-fpm")
    names = (
        "can be written in Roundcube",
        "the browser gets",
        "own files stay hidden",
        "a letter is read",
    )
    found = proved(*names, guide=guide)
    assert {f.thing: f.state for f in found} == {
        "filter rules (Sieve) can be written in Roundcube": "failed",
        "the browser gets its rules (Content-Security-Policy)": "failed",
        "Roundcube's own files stay hidden": "failed",
        "a letter is read in Roundcube": "ok",
    }, [f"{f.thing}: {f.gap}" for f in found]
    report = guide.apply("webmail")
    assert report.ok, bad(report.as_dict())


@pytest.mark.thorough
def test_a_wrong_right_is_seen_by_the_proof(guide):
    sql("GRANT SELECT ON mailserver.virtual_users TO 'webmail-password'@'localhost'")
    assert (
        proofs(guide)["the database user webmail-password can read no password"]
        == "failed"
    )
    assert guide.apply("webmail.passwords").ok


def test_who_is_removed_with_the_mail_is_forgotten_here_too(guide, cli):
    """Or the next one of that name would find the contacts of the one before."""
    who = "carla@example.test"
    password = Secret("a long one of hers")
    added = cli("people", "add", who, "--password-stdin", stdin=password.reveal())
    assert added.returncode == 0, added.stderr
    with opened(guide) as ctx:
        browser = Webmail(ctx)
        assert browser.login(who, password)
        browser.logout()
    count = f"SELECT COUNT(*) FROM roundcube.users WHERE username='{who}'"
    assert sql(count).strip() == "1"
    assert cli("people", "remove", who, "--with-mail").returncode == 0
    assert sql(count).strip() == "0"


def test_wrong_guesses_slow_down_the_one_who_guesses(guide):
    """Dovecot hears the reader's own address, and not that of this machine for all."""
    with opened(guide) as ctx:
        assert not Webmail(ctx).login(ctx.address, Secret("a wrong guess of today"))
        said = shell(
            "journalctl -u dovecot -n 20 -o cat | grep 'auth failed' | tail -1"
        )
        assert f"user=<{ctx.address}>" in said
    slow = [row.split()[0] for row in shell("doveadm penalty").splitlines()[1:]]
    assert slow and not {"::", "::1", "127.0.0.1"} & set(slow)
    assert f"rip={slow[-1]}" in said and "rip=127" not in said and "rip=::1" not in said


@pytest.mark.thorough
def test_a_name_without_mailbox_and_a_wrong_password_look_alike(guide):
    """Otherwise the page would tell who lives here."""
    with opened(guide) as ctx:
        here, nobody = ctx.address, "nobody@example.test"
        pages = [
            _refused(Webmail(ctx), who, Secret("wrong-wrong")) for who in (here, nobody)
        ]
    assert pages[0] == pages[1]


def _refused(browser, who, password) -> list[str]:
    assert not browser.login(who, password)
    page = browser.ask("/")
    return [line for line in page.text.splitlines() if "display_message" in line]
