"""Bulletins and certificates against the count: no figure can be changed without being reported."""

from typing import Any

import msgspec
import pytest

from count_helpers import NOON, PRESIDENT, STATIONS, Ballots, make_election
from scrutineer.count import Count, differences, make_bulletin, make_certificate
from scrutineer.election import Contest
from scrutineer.statements import Bulletin, Certificate, ContestResult, parse_statement
from scrutineer.statements.kinds import Layer

ROOT = b"r" * 32
OTHER = b"s" * 32


def full() -> tuple[Ballots, Count]:
    speaker = Contest("speaker", "Speaker", "majority", PRESIDENT.options)
    ballots = Ballots(make_election([PRESIDENT, speaker]))
    sheets = [ballots.sheet(station, (40, 20, 10)) for station in STATIONS[:4]]
    sheets += [ballots.sheet(station, (30, 29, 10), contest="speaker") for station in STATIONS[:3]]
    sheets += [ballots.sheet("b2", cast=1), ballots.exclude("b3")]
    return ballots, ballots.count(*sheets)


def test_a_bulletin_made_from_the_count_does_not_differ_from_it() -> None:
    ballots, count = full()
    bulletin = make_bulletin(count, ROOT, number=3, time=NOON)
    assert differences(bulletin, count, ROOT) == []
    assert (bulletin.number, bulletin.size, bulletin.layer, bulletin.time) == (3, 9, "preliminary", NOON)
    read = parse_statement(ballots.sign(bulletin, "authority/one")).payload
    assert read == bulletin
    layer: Layer = "official"
    assert make_bulletin(count, ROOT, number=3, time=NOON, layer=layer).layer == "official"


def test_a_certificate_made_from_the_count_does_not_differ_from_it() -> None:
    ballots, count = full()
    certificate = make_certificate(count, ROOT, time=NOON)
    assert differences(certificate, count, ROOT) == []
    assert parse_statement(ballots.sign(certificate, "authority/one")).payload == certificate


def _changed(value: Any) -> list[Any]:
    """Other values of the same field."""
    if isinstance(value, bool):
        return [not value]
    if value is None:
        return [0]
    if isinstance(value, int):
        return [value + 1, None]
    if value and isinstance(value[0], int):
        return [(value[0] + 1, *value[1:]), value[::-1]]
    return [("finch",), (*value, "finch")]


@pytest.mark.parametrize("contest", [0, 1])
@pytest.mark.parametrize("name", [field for field in ContestResult.__struct_fields__ if field != "contest"])
@pytest.mark.parametrize("kind", ["bulletin", "certificate"])
def test_every_changed_figure_is_reported(kind: str, name: str, contest: int) -> None:
    _, count = full()
    made: Bulletin | Certificate = (
        make_bulletin(count, ROOT, number=1, time=NOON) if kind == "bulletin" else make_certificate(count, ROOT, time=NOON)
    )
    true = made.contests[contest]
    for value in _changed(getattr(true, name)):
        # Built past the type's own checks, which refuse some of these before they get here.
        false = msgspec.structs.replace(true)
        msgspec.structs.force_setattr(false, name, value)
        contests = tuple(false if number == contest else result for number, result in enumerate(made.contests))
        found = differences(msgspec.structs.replace(made, contests=contests), count, ROOT)
        assert [(difference.field, difference.stated, difference.computed) for difference in found] == [
            (f"contest {true.contest}, {name}", value, getattr(true, name))
        ]


@pytest.mark.parametrize(("name", "value"), [("election", OTHER), ("results", OTHER), ("root", OTHER), ("size", 8)])
def test_what_a_bulletin_binds_is_reported(name: str, value: object) -> None:
    _, count = full()
    bulletin = msgspec.structs.replace(make_bulletin(count, ROOT, number=1, time=NOON), **{name: value})
    assert [difference.field for difference in differences(bulletin, count, ROOT)] == [name]


def test_contests_that_are_missing_foreign_or_doubled_are_reported() -> None:
    _, count = full()
    bulletin = make_bulletin(count, ROOT, number=1, time=NOON)
    president, speaker = bulletin.contests
    foreign = msgspec.structs.replace(speaker, contest="queen")
    for contests, expected in (
        ((president,), ["contest speaker"]),
        ((), ["contest president", "contest speaker"]),
        ((president, foreign), ["contest queen", "contest speaker"]),
        ((president, speaker, speaker), ["contest speaker"]),
    ):
        stated = msgspec.structs.replace(bulletin, contests=contests)
        assert [difference.field for difference in differences(stated, count, ROOT)] == expected


def test_a_difference_says_what_is_stated_and_what_the_log_gives() -> None:
    _, count = full()
    bulletin = make_bulletin(count, OTHER, number=1, time=NOON)
    assert str(differences(bulletin, count, ROOT)[0]) == f"root: states {OTHER.hex()}, the log gives {ROOT.hex()}"
