"""The record beside the real service: bad requests over HTTP, counted exactly; and summaries in the log."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from incident_helpers import REASONS_SENT, bad_request, logged_incidents, operator_admitted, send, sign_incident, totals
from intake_helpers import Republic, log_signer, opened_log, republic, station_key
from scrutineer.errors import StatementError
from scrutineer.http import Address
from scrutineer.intake import Service, submit_statements
from scrutineer.intake.incidents import IncidentRecord, check_summaries, read_journal
from scrutineer.intake.incidents.record import PENDING
from scrutineer.log import Log, SqliteStore
from scrutineer.statements import Accreditation, Incident
from scrutineer.statements.policy import Policy


@pytest.fixture
def land() -> Republic:
    return republic()


@contextlib.contextmanager
def serving(
    land: Republic, folder: Path, *, sign: Callable[[Incident], bytes] | None = sign_incident, admitted: bool = True
) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """The service with its record, until the block ends; its address, and what the record says."""
    said: list[str] = []
    ready: list[Address] = []
    started = threading.Event()
    with opened_log(folder, land.definition) as (log, _):
        if admitted:
            log.append([operator_admitted(land)])
        record = IncidentRecord.open(folder / "incidents", land.election.hash, warn=said.append)

        def announce(address: Address) -> None:
            ready.append(address)
            started.set()

        service = Service(
            log,
            land.write(folder),
            checkers=1,
            note=record.note,
            beside=[record.companion(sign)],
            ready=announce,
        )
        thread = threading.Thread(target=service.run)
        thread.start()
        try:
            assert started.wait(30)
            yield (ready[0].host, ready[0].port), said
        finally:
            service.stop()
            thread.join()
            record.close()


def entries(folder: Path) -> list[bytes]:
    log = Log.open(SqliteStore.open_reader(folder / "log.sqlite"), log_signer())
    try:
        return list(log.entries())
    finally:
        log.close()


def test_counts_are_what_was_sent(land: Republic, tmp_path: Path) -> None:
    sent = {kind: 3 + number for number, kind in enumerate(REASONS_SENT)}
    with serving(land, tmp_path) as (address, said):
        assert [status for status, _ in send(address, [("POST", "/entries", land.sheet())])] == [201]
        for kind, count in sent.items():
            answers = list(send(address, [bad_request(land, kind, number) for number in range(count)]))
            reason = REASONS_SENT[kind]
            assert [given for _, given in answers] == ["" if reason == "duplicate" else reason] * count
    assert said == []
    assert totals(tmp_path / "incidents") == sent
    recorded = entries(tmp_path)
    # The summary was signed and recorded as the service stopped, and the policy admits it.
    (summary,) = logged_incidents(recorded)
    policy = Policy(land.election)
    for entry in recorded[1:]:
        policy.apply(policy.admit(entry))
    assert summary.incident.requests is not None
    assert {count.kind: count.count for count in summary.incident.requests.counts} == sent
    assert {network.network for count in summary.incident.requests.counts for network in count.networks} == {"127.0.0.0/24"}
    checked = read_journal(tmp_path / "incidents", [summary])
    assert checked.findings == []
    assert checked.covered == summary.incident.requests.last
    assert not (tmp_path / "incidents" / PENDING).exists()


def test_each_run_sums_up_what_came_since_the_last(land: Republic, tmp_path: Path) -> None:
    for run in range(3):
        with serving(land, tmp_path) as (address, _):
            if run != 1:  # Nothing is signed where there is nothing to say.
                list(send(address, [bad_request(land, "scan", run)]))
    first, second = logged = logged_incidents(entries(tmp_path))
    assert first.incident.requests is not None
    assert second.incident.requests is not None
    assert second.incident.requests.first == first.incident.requests.last + 1
    assert second.incident.requests.previous == first.incident.requests.head
    assert check_summaries(logged) == []
    assert read_journal(tmp_path / "incidents", logged).findings == []


def test_without_a_key_windows_are_written_and_nothing_is_signed(land: Republic, tmp_path: Path) -> None:
    with serving(land, tmp_path, sign=None) as (address, said):
        list(send(address, [bad_request(land, "scan", 0)]))
    assert said == []
    assert totals(tmp_path / "incidents") == {"scan": 1}
    assert logged_incidents(entries(tmp_path)) == []


def test_an_operator_whom_nobody_admitted_is_told_once_and_summed_up_later(land: Republic, tmp_path: Path) -> None:
    with serving(land, tmp_path, admitted=False) as (address, said):
        list(send(address, [bad_request(land, "scan", 0)]))
    assert len(said) == 1
    assert "is not in the register" in said[0]
    assert not (tmp_path / "incidents" / PENDING).exists()
    with serving(land, tmp_path) as (address, said):
        list(send(address, [bad_request(land, "scan", 1)]))
    (summary,) = logged_incidents(entries(tmp_path))
    assert summary.incident.requests is not None
    assert summary.incident.requests.counts[0].count == 2


def test_a_summary_whose_receipt_was_not_noted_is_submitted_again(land: Republic, tmp_path: Path) -> None:
    """As after a kill between the log's commit and the journal's record: the same bytes, and so the same entry."""
    made: list[bytes] = []

    def sign(incident: Incident) -> bytes:
        made.append(sign_incident(incident))
        raise StatementError("the key is gone")  # After it was made: as if the machine had stopped there.

    with serving(land, tmp_path, sign=sign) as (address, said):
        list(send(address, [bad_request(land, "scan", 0)]))
    assert "the key is gone" in said[0]
    (statement,) = made
    (tmp_path / "incidents" / PENDING).write_bytes(statement)
    with opened_log(tmp_path, land.definition) as (log, _):
        log.append([statement])
    with serving(land, tmp_path) as (address, said):
        pass
    assert said == []
    assert Counter(entries(tmp_path))[statement] == 1
    (summary,) = logged_incidents(entries(tmp_path))
    checked = read_journal(tmp_path / "incidents", [summary])
    assert checked.findings == []
    assert summary.incident.requests is not None
    assert checked.covered == summary.incident.requests.last


@pytest.mark.parametrize("left", [b"", b"nonsense"])
def test_a_damaged_pending_summary_is_no_obstacle(land: Republic, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / PENDING).write_bytes(left)
    with serving(land, tmp_path) as (address, said):
        list(send(address, [bad_request(land, "scan", 0)]))
    assert said == []
    assert len(logged_incidents(entries(tmp_path))) == 1


def test_what_a_revoked_key_signs_is_recorded_and_on_record(land: Republic, tmp_path: Path) -> None:
    key = station_key("n1")
    revoked = Accreditation(
        election=land.election.hash, action="revoke", issuer="station/n1", role="station", key=key.public_key, reason="Stolen."
    )
    with serving(land, tmp_path) as (address, _):
        url = f"http://{address[0]}:{address[1]}"
        submit_statements([land.sheet("n1"), land.by_authority(revoked)], url, log_signer().verifier)
        submit_statements([land.sheet("n1", "north"), land.sheet("n2")], url, log_signer().verifier)
    assert totals(tmp_path / "incidents") == {"revoked-key": 1}
