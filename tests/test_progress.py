"""Progress read from lines: real ones of apt and dpkg."""

from ispguide.engine.progress import BROKE, Doing

APT = """packages: mail
0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://mirror.example bookworm/main amd64 libx all 1.0-1 [12 kB]
Get:2 http://mirror.example bookworm/main amd64 postfix amd64 3.7 [1,500 kB]
Selecting previously unselected package libx.
Preparing to unpack .../0-libx_1.0-1_all.deb ...
Unpacking libx (1.0-1) ...
Unpacking postfix (3.7) ...
Unpacking postfix-mysql (3.7) ...
Setting up libx (1.0-1) ...
Setting up postfix (3.7) ...""".splitlines()


def heard(count: int) -> Doing:
    now = Doing()
    for line in APT[:count]:
        now.hear(line)
    return now


def test_before_apt_says_a_number_the_line_itself_is_shown():
    now = heard(1)
    assert now.step == "packages: mail"
    assert now.share is None
    assert now.words == "packages: mail"


def test_each_phase_counts_its_packages():
    assert heard(4).words == "fetching package 2 of 3: postfix"
    assert heard(8).words == "unpacking package 2 of 3: postfix"
    assert heard(11).words == "setting up package 2 of 3: postfix"


def test_the_share_only_grows():
    shares = [heard(n).share or 0 for n in range(len(APT) + 1)]
    assert shares == sorted(shares)
    assert 0.8 < shares[-1] < 1


def test_the_next_step_begins_anew():
    now = heard(len(APT))
    now.hear("tls: web server")
    assert (now.step, now.share, now.words) == ("tls: web server", None, now.line)


def test_a_line_that_only_looks_like_one_is_just_a_line():
    now = Doing()
    now.hear("Setting up nothing at all")
    assert now.share is None and now.words == "Setting up nothing at all"


def test_a_broken_line_is_told_at_once_and_the_count_begins_anew():
    now = heard(8)
    now.hear(BROKE)
    assert (now.words, now.share) == (BROKE, None)
    for line in APT[:4]:
        now.hear(line)
    assert now.words == "fetching package 2 of 3: postfix"
