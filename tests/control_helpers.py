"""What the tests of the control room share: the room as a process, and officers whose browsers have virtual authenticators."""

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from chromium import troubles_of
from cli_helpers import call, command

THRESHOLDS = "[thresholds]\nbulletin = 2\ndecision = 2\n"


def two_officers(folder: Path) -> Path:
    """An election folder in which acts need two officers, opened."""
    call("new", folder)
    file = folder / "election.toml"
    file.write_text(file.read_text().replace("[thresholds]\n", THRESHOLDS))
    call("open", folder)
    return folder


class ControlRoom:
    """`control` as a process."""

    def __init__(self, folder: Path, *options: object) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            command(["control", folder, "--port", 0, *options]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Control room at "), self.process.communicate()
        self.url = line.removeprefix("Control room at ").strip().rstrip("/")

    def link(self, officer: str) -> str:
        """An enrolment link for an officer."""
        out = call("control", self.folder, "--enrol", officer, "--origin", self.url).out
        found = re.search(r"^http\S+$", out, re.MULTILINE)
        assert found, out
        return found[0]

    def stop(self) -> tuple[int, str]:
        """Ask it to stop; its exit status and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=20)
        return self.process.returncode, err


@contextlib.contextmanager
def control_room(folder: Path, *options: object) -> Iterator[ControlRoom]:
    """The control room for as long as the block lasts; it has to end without complaint."""
    room = ControlRoom(folder, *options)
    try:
        yield room
        _, err = room.stop()
        assert "Traceback" not in err, err
    finally:
        if room.process.poll() is None:
            room.process.kill()
            room.process.communicate()


class OfficerBrowser:
    """A browser context with an authenticator of its own, as one person's device is."""

    def __init__(self, browser: Browser, room: ControlRoom, **options: object) -> None:
        self.room = room
        self.context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.trouble = troubles_of(self.page, levels=("error",))
        self.session: CDPSession = self.context.new_cdp_session(self.page)
        self.session.send("WebAuthn.enable")
        self.authenticator = self.session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )["authenticatorId"]

    def verified(self, *, yes: bool) -> None:
        """Whether the person at the authenticator is recognised from now on."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.authenticator, "isUserVerified": yes})

    def enrol(self, officer: str) -> None:
        """Make a passkey by an enrolment link."""
        self.page.goto(self.room.link(officer))
        self.page.get_by_label("A name for this passkey").fill("telephone")
        self.page.get_by_role("button", name="Make the passkey").click()
        self.page.wait_for_url(f"{self.room.url}/enter?enrolled")
        expect(self.page.get_by_text("Your passkey is enrolled.")).to_be_visible()

    def enter(self) -> None:
        """Sign in."""
        self.page.goto(f"{self.room.url}/enter")
        self.page.get_by_role("button", name="Enter with your passkey").click()
        self.page.wait_for_url(f"{self.room.url}/")

    def go(self, path: str) -> None:
        """Open a page of the room."""
        answer = self.page.goto(f"{self.room.url}{path}")
        assert answer is not None
        assert answer.ok, answer.text()
