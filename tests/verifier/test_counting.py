"""Both verifiers make the same tables of arbitrary logs, entry by entry."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from second_look import statements
from second_look.count import Count as SecondCount
from second_look.election import Election as SecondElection
from second_look.report import FormatError
from second_look.rules import Sheet, failed
from second_look.tables import results_csv, stations_csv

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from count_helpers import OFFICERS, key_of
from scrutineer.count import Count, results_table, stations_table
from scrutineer.election import Definition
from scrutineer.election.definition import REGISTER_TABLE, UNITS_TABLE, table_hash, write_register, write_units
from scrutineer.errors import PolicyError, SignatureError, StatementError
from scrutineer.statements import sign_statement
from scrutineer.statements.bootstrap import open_election
from scrutineer.statements.policy import Policy


def _sources() -> ModuleType:
    """The logs that the property tests of the count are made of."""
    path = Path(__file__).resolve().parents[1] / "property" / "test_count.py"
    spec = importlib.util.spec_from_file_location("logs_of_count", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOURCES = _sources()


def _signed() -> tuple[bytes, bytes, bytes]:
    """Definition, units and register of those logs, with the tables' true hashes and a true signature."""
    election = SOURCES.BALLOTS.election
    units, register = write_units(election.units), write_register(election.register)
    fields = {name: getattr(election.definition, name) for name in Definition.__struct_fields__}
    fields["tables"] = {UNITS_TABLE: table_hash(units), REGISTER_TABLE: table_hash(register)}
    return sign_statement(Definition(**fields), OFFICERS[0], key_of(OFFICERS[0])), units, register


DEFINITION, UNITS, REGISTER = _signed()
SOURCES.BALLOTS.election = open_election(DEFINITION, UNITS, REGISTER)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(SOURCES.logs())
def test_both_make_the_same_tables(entries: list[bytes]) -> None:
    election = SOURCES.BALLOTS.election
    first, policy = Count(election), Policy(election)
    second = SecondCount(SecondElection(statements.read(DEFINITION), {"units.csv": UNITS, "register.csv": REGISTER}))
    first.apply([DEFINITION])
    for index, entry in enumerate(entries, start=1):
        try:
            policy.apply(policy.admit(entry))
            first.apply([entry])
            admitted = True
        except (PolicyError, StatementError, SignatureError):
            first.pass_over()
            admitted = False
        try:
            statement = statements.read(entry)
            second.policy.check(statement)
            second.apply(index, statement)
            also = True
        except FormatError:
            also = False
        assert also == admitted, entry
        for number, contest in enumerate(election.contests):
            assert results_csv(second, contest.id) == results_table(first, number)
            assert stations_csv(second, contest.id) == b"".join(stations_table(first, number))


@pytest.mark.parametrize(
    ("counts", "wrong"), [([0, 90], False), ([0, 161], True), ([81, 0], True)], ids=["names", "too many names", "twice"]
)
def test_several_names_can_be_written_in_on_one_ballot(counts: list[int | None], wrong: bool) -> None:
    options = [{"id": "wren"}, {"id": "other"}]
    contest = {"rule": "plurality", "max_choices": 2, "options": options, "write_in": "other"}
    sheet = Sheet(0, b"", b"", counts, (2, 3, 85, None, None), None, None)
    assert ("sum" in failed(contest, sheet, None)) == wrong
