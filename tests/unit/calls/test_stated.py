"""Calls as a bulletin states them: every election's bulletins can be signed, however many candidates and contests it has."""

import msgspec
import pytest

from count_helpers import NOON, STATIONS, Ballots, make_election
from scrutineer.calls import bulletin_calls
from scrutineer.calls.stated import MAX_STATED, call_of, state_call
from scrutineer.count import Count, make_bulletin
from scrutineer.election import Contest, Election, Option
from scrutineer.election.call_settings import CallSettings
from scrutineer.statements import Bulletin, parse_statement

ROOT = b"r" * 32


ROLL = 90_000


def committed(*contests: Contest) -> Election:
    """The small country, with settings of calls and large stations."""
    base = make_election(contests, rolls=dict.fromkeys(STATIONS, ROLL))
    return Election(msgspec.structs.replace(base.definition, calls=CallSettings()), base.units, base.register, base.hash)


def contest(rule: str, options: int, *, name: str = "president", **given: object) -> Contest:
    plovers = tuple(Option(f"plover-{number}", f"Plover {number}") for number in range(options))
    return Contest(name, "President", rule, plovers, **given)  # type: ignore[arg-type]


def signed(ballots: Ballots, count: Count) -> Bulletin:
    """The bulletin with its calls, as it is read back from the log."""
    bulletin = make_bulletin(count, ROOT, number=1, time=NOON, calls=bulletin_calls(count))
    read = parse_statement(ballots.sign(bulletin, "authority/one")).payload
    assert isinstance(read, Bulletin)
    assert read == bulletin
    return read


def test_before_the_first_sheet_all_candidates_are_tied() -> None:
    ballots = Ballots(committed(contest("plurality", 512)))
    (call,) = signed(ballots, ballots.count(ballots.exclude("a1"))).calls
    assert (call.verdict, call.reasons, call.binding.count(":")) == ("not-decided", ("inputs",), 512)


@pytest.mark.parametrize(
    ("asked", "conditions"),
    [
        pytest.param(contest("dhondt", 40, seats=150), 40 * 39, id="more than a statement holds"),
        pytest.param(contest("plurality", 130, seats=65), 65 * 65, id="more than a call may have"),
    ],
)
def test_of_very_many_conditions_the_nearest_are_stated(asked: Contest, conditions: int) -> None:
    ballots = Ballots(committed(asked))
    counts = [400 + 3 * number for number in range(len(asked.options))]
    count = ballots.count(*(ballots.sheet(station, counts, roll=ROLL) for station in STATIONS[:4]))
    made = call_of(count, 0)
    whole = [condition for clause in made.clauses for condition in clause]
    assert len(whole) == conditions
    (call,) = signed(ballots, count).calls
    assert len(call.conditions) == MAX_STATED
    nearest = {(condition.value, condition.slack) for condition in sorted(whole, key=lambda own: own.ballots_left)[:MAX_STATED]}
    assert {(condition.value, condition.slack) for condition in call.conditions} == nearest


def test_contests_share_the_room_of_a_bulletin() -> None:
    asked = [contest("plurality", 3, name=f"warden-{number}") for number in range(20)]
    ballots = Ballots(committed(*asked))
    count = ballots.count(*(ballots.sheet("a1", (90, 80, 70), contest=own.id, roll=ROLL) for own in asked))
    calls = signed(ballots, count).calls
    assert [len(call.conditions) for call in calls] == [2] * 20
    made = call_of(count, 0)
    alone = [state_call(made, most) for most in (2, 1, 0)]
    assert alone[0] == calls[0]
    assert [len(call.conditions) for call in alone] == [2, 1, 0]
    assert alone[1].conditions == alone[0].conditions[:1]
    assert [call.lead is None for call in alone] == [False, False, True]
