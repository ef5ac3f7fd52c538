"""Opening the guide for a server this computer knows."""

from __future__ import annotations

from ispguide import problems
from ispguide.chapters import GUIDE
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.profile import Profile
from ispguide.server import Server
from ispguide.settings import Secret, Settings

PRACTICE = "practice"


def open_guide(server: str = PRACTICE, sudo: Secret | None = None) -> Guide:
    """The guide for the server of that profile, with the settings it knows."""
    profile = Profile.load(server)
    if profile.settings is None:
        profile = _with_its_settings(profile, sudo)
    there = open_server(profile, sudo)
    assert there.profile.settings
    return Guide(there, problems.checked(there.profile.settings), GUIDE)


def open_server(profile: Profile, sudo: Secret | None = None) -> Server:
    """The server of the profile, or the recording of one."""
    if profile.replay:
        from ispguide.replay import Replay

        return Replay(profile)
    return Server(profile, sudo)


def known_settings(server: str = PRACTICE) -> Settings:
    """The settings of that server as this computer knows them."""
    return Profile.load(server).settings or open_guide(server).settings


def _with_its_settings(profile: Profile, sudo: Secret | None) -> Profile:
    """A new computer, an old server: the settings come from the server."""
    with Server(profile, sudo) as server:
        found = (server.exchange().settings or {}).get("text")
    if not found:
        raise GuideError(
            f"Neither this computer nor {profile.host} has settings for it yet.",
            "The guide should know the server's name and the mail domain.",
            f"./guide connect {profile.user}@{profile.host} --domain example.org",
            kind="no-settings",
        )
    profile = profile.with_settings(problems.read(found))
    profile.save()
    return profile
