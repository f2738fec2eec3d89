"""What a checked audit leaves open, said beside its result."""

from dataclasses import replace

import msgspec

from audit_artifacts import ELECTION, count_of, held, results_log
from count_helpers import Ballots
from scrutineer.audits.check_notes import results_notes


def test_stations_that_a_decision_excludes_are_said() -> None:
    log = results_log()
    assert not any("excluded" in note for note in results_notes(held().files, count_of(log)))
    without = count_of([*log, *(Ballots(ELECTION).exclude(station) for station in ("a1", "b2"))])
    notes = results_notes(held().files, without)
    assert "Contest president: 2 station(s) are excluded by decision and were not audited." in notes


def test_a_risk_limit_that_promises_little_is_said() -> None:
    files = held().files
    for limit, said in (("0.1", False), ("0.11", True), ("0.999", True)):
        plan = msgspec.structs.replace(files.plan, risk_limit=limit)
        notes = results_notes(replace(files, plan=plan), count_of(results_log()))
        assert any(note.startswith(f"The risk limit is {limit}: a wrong outcome may be confirmed") for note in notes) == said
