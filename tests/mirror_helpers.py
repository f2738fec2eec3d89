"""What the tests of mirrors share: one election at several sizes, its forks, and rounds over addresses."""

import contextlib
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import verify_helpers as helpers
from scrutineer.verify.mirror import Mirror, MirrorFolder, MirrorRound
from scrutineer.verify.web import WebSite
from site_servers import Answer, mirror, send


def no_pause(_seconds: float) -> None:
    pass


def at(story: helpers.Story, size: int) -> helpers.Story:
    """The election when its log had that size."""
    return helpers.Story(story.election, story.tables, story.log[:size])


def forked(story: helpers.Story, size: int, since: int) -> helpers.Story:
    """Another log of the same election under the same keys: the same up to `since`, and other sheets from there on."""
    lie = at(story, since)
    number = 0
    while len(lie.log) < size:
        number += 1
        lie.sheet("b2", helpers.PRESIDENT, (number, 90, 0))
    return lie


def do_round(
    folder: Path,
    *addresses: str,
    definition: bytes | None = None,
    timeout: float = 30,
    connections: int = 4,
    steps: list[tuple[str, int, int]] | None = None,
) -> MirrorRound:
    """One run of a mirror."""
    with contextlib.ExitStack() as stack:
        sites = [stack.enter_context(WebSite(address, timeout=timeout, connections=connections)) for address in addresses]
        held = stack.enter_context(MirrorFolder(folder))
        tell = None if steps is None else lambda *step: steps.append(step)
        return Mirror(held, sites, definition=definition, connections=connections, pause=no_pause, progress=tell).run()


def files_of(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file() and path.name[0] != "."}


def counting(answer: Answer, asked: list[str]) -> Answer:
    """Answers, and writes down what was asked for."""

    def count(handler: BaseHTTPRequestHandler, path: str) -> None:
        asked.append(path)
        answer(handler, path)

    return count


def lying(site: Path, changes: dict[str, bytes]) -> Answer:
    """Serves a site with other bytes in some files."""
    return mirror(site, {path: lambda handler, _, data=data: send(handler, data) for path, data in changes.items()})  # type: ignore[misc]


def faults(result: MirrorRound) -> Sequence[str]:
    return [finding.fault for finding in result.findings]
