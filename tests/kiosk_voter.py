"""A voter before the kiosk, over HTTP and without a browser."""

import re
from html import unescape

import httpx

from kiosk_helpers import Station


class Voter:
    """A browser without scripts: it shows a page, and sends the form on it."""

    def __init__(self, station: Station, address: str) -> None:
        self.station, self.address = station, address
        self.client = httpx.Client(base_url=address, trust_env=False)
        self.page = ""
        self.load()

    def load(self) -> str:
        """The page of now."""
        answer = self.client.get("/vote")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        self.page = answer.text
        return self.page

    @property
    def step(self) -> str:
        """The step of the page."""
        found = re.search(r'name="step" value="([0-9a-f]{32})"', self.page)
        assert found is not None
        return found[1]

    @property
    def screen(self) -> str:
        """Which screen the page is."""
        found = re.search(r'<body class="voting ([a-z]+)"', self.page)
        assert found is not None
        return found[1]

    @property
    def title(self) -> str:
        """The heading of the page, without tags."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page, re.DOTALL)
        assert found is not None
        return unescape(re.sub(r"<[^>]+>", "", found[1]))

    def press(self, action: str, **fields: object) -> str:
        """Press a button of the page, and see where that leads."""
        values: dict[str, object] = {"step": self.step, "action": action}
        values |= {name.replace("_", "-"): value for name, value in fields.items()}
        answer = self.client.post("/vote", data=values)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/vote"
        return self.load()

    def begin(self, style: int = 2) -> None:
        """Until the first contest of the short ballot."""
        self.station.machine.activate(style)
        self.load()
        assert self.screen == "language"
        self.press("language:en")
        self.press("next", party="0")

    def fill(self) -> None:
        """The short ballot: warden and pond."""
        self.begin()
        self.press("next", mark=["2"])
        self.press("next", mark=["1"])
        assert self.screen == "review"
