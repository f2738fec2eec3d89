"""The second verifier is no part of the installed program: its tests find it in its own folder."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "verifier" / "src"))

from second_look.ballots import bundle as second_bundle
from second_look.report import Report


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks equal ballots under equal keys once, as tampered records differ in single lines."""

    def remembering(check: Callable[..., None]) -> Callable[..., None]:
        known: dict[tuple[bytes, str], Report] = {}

        def remember(ballot: dict[str, Any], keys: Any, where: str, report: Report) -> None:
            place = (keys.extended, repr(ballot))
            if place not in known:
                known[place] = Report()
                check(ballot, keys, where, known[place])
            for finding in known[place].findings:
                report.add(**finding)

        return remember

    for name in ("check_ballot", "check_pre_encrypted"):
        monkeypatch.setattr(second_bundle, name, remembering(getattr(second_bundle, name)))
