"""Chromium for tests: how it is started, how long it is waited for, and what goes wrong on a page.

`browser` is the fixture of the tests in `browser/`. One browser serves a module and no longer: the loop of Playwright runs in the
thread of the tests, where other modules need loops of their own.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, Request, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 30_000
"""Milliseconds to wait for what has to come: on a busy machine everything takes its time, and no test is about how long."""

CONNECTIONS = ("ERR_CONNECTION_RESET", "ERR_SOCKET_NOT_CONNECTED", "ERR_CONNECTION_CLOSED", "ERR_EMPTY_RESPONSE")
"""What becomes of single connections; no fault of a page, whose contents the tests look at."""

expect.set_options(timeout=PATIENCE)


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser, with these arguments; the test is skipped where there is none."""
    with chromium_engine() as playwright, launched(playwright, *arguments) as opened:
        yield opened


@contextlib.contextmanager
def chromium_engine() -> Iterator[Playwright]:
    """What starts browsers; the test is skipped where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        yield playwright


@contextlib.contextmanager
def launched(playwright: Playwright, *arguments: str) -> Iterator[Browser]:
    """A browser with these arguments; the test is skipped where it does not start."""
    try:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", *arguments])
    except Error as error:
        pytest.skip(f"Chromium does not start here: {error.message.splitlines()[0]}")
    try:
        yield opened
    finally:
        opened.close()


def troubles_of(
    page: Page, into: list[str] | None = None, *, statuses: Sequence[int] = (), levels: Sequence[str] = ()
) -> list[str]:
    """What goes wrong on a page from now on: errors of its scripts, and what the console says, at any level or at these.

    Forgiven is what becomes of single connections, and answers with the statuses that a test expects; nothing else.
    """
    troubles: list[str] = [] if into is None else into

    def say(said: ConsoleMessage) -> None:
        if (not levels or said.type in levels) and not is_forgiven(said.text, statuses):
            troubles.append(said.text)

    page.on("console", say)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    return troubles


def is_forgiven(said: str, statuses: Sequence[int] = ()) -> bool:
    """Whether the browser says no more than what became of one connection, or that an answer had one of these statuses."""
    found = re.match(r"Failed to load resource: (?:net::(ERR_\w+)|the server responded with a status of (\d+))", said)
    return found is not None and (found[1] in CONNECTIONS or (found[2] is not None and int(found[2]) in statuses))


def failure(request: Request) -> str | None:
    """How a request failed; nothing for connections, and for what a browser gives up, such as the icon, for the next page."""
    failed = (request.failure or "").removeprefix("net::")
    return None if failed in (*CONNECTIONS, "ERR_ABORTED") else f"failed ({failed}): {request.url}"


@contextlib.contextmanager
def untroubled(browser: Browser, *, statuses: Sequence[int] = (), **options: object) -> Iterator[Page]:
    """A page of a context of its own, on which nothing may go wrong."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        troubles = troubles_of(page, statuses=statuses)
        yield page
    finally:
        context.close()
    assert troubles == []
