from typing import Any

import msgspec
import numpy as np
import pytest

from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import Contest, Option
from scrutineer.election.definition import Definition, Election, LogIdentity, TableHash, table_hash
from scrutineer.election.parties import Party
from scrutineer.election.register import Issuer, Register
from scrutineer.election.units import UnitRow, Units
from scrutineer.errors import DefinitionError

CONTEST = Contest("c", "Contest", "plurality", (Option("wren", "Wren"), Option("owl", "Owl")))
UNITS = Units(
    [UnitRow("u", "", "U", "country", None), UnitRow("n", "u", "N", "region", None), UnitRow("s", "n", "S", "station", 9)]
)


def definition(**changes: Any) -> Definition:
    fields: dict[str, Any] = {
        "version": 1,
        "id": "aviary",
        "name": "Aviary",
        "date": "2026-06-07",
        "timezone": "UTC",
        "provenance": "official",
        "authority": "Council",
        "contests": (CONTEST,),
        "tables": {"units.csv": table_hash(b"u"), "register.csv": table_hash(b"r")},
        "log": LogIdentity("example.org/aviary", ("key",)),
    }
    return Definition(**(fields | changes))


def test_thresholds_are_one_unless_named() -> None:
    value = definition(thresholds={"decision": 3})
    assert (value.needed("decision"), value.needed("bulletin")) == (3, 1)


def test_every_provenance_has_its_sentence() -> None:
    sentences = {
        definition().provenance_sentence(),
        definition(provenance="simulated").provenance_sentence(),
        definition(provenance="replayed", source="The Nest").provenance_sentence(),
    }
    assert len(sentences) == 3
    assert any("Replayed from published data (The Nest)" in sentence for sentence in sentences)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "version": ({"version": 2}, "format version 2"),
    "id": ({"id": "a/b"}, "election 'a/b' cannot be used"),
    "name": ({"name": ""}, "name of the election"),
    "authority": ({"authority": "\n"}, "name of the authority"),
    "date": ({"date": "7 June"}, "'7 June' is not a date"),
    "time zone": ({"timezone": "Mars/Base"}, "time zone 'Mars/Base' is not known"),
    "time zone outside": ({"timezone": "../etc/passwd"}, "is not known"),
    "no contest": ({"contests": ()}, "has no contest"),
    "contest twice": ({"contests": (CONTEST, CONTEST)}, "contest 'c' is listed twice"),
    "threshold": ({"thresholds": {"lunch": 2}}, "threshold 'lunch'"),
    "threshold of none": ({"thresholds": {"decision": 0}}, "threshold 'decision' = 0"),
    "source alone": ({"source": "The Nest"}, "with provenance 'replayed', and only then"),
    "replayed from nowhere": ({"provenance": "replayed"}, "with provenance 'replayed', and only then"),
    "long source": ({"provenance": "replayed", "source": "x" * 513}, "at most 512 printable characters"),
    "tables": ({"tables": {"units.csv": table_hash(b"")}}, "it needs units.csv and register.csv"),
}


@pytest.mark.parametrize("name", BAD)
def test_definitions_that_cannot_be(name: str) -> None:
    changes, message = BAD[name]
    with pytest.raises(DefinitionError, match=message):
        definition(**changes)


def party(*options: str, label: str = "feather") -> Party:
    return Party(label, "Feather List", options)


COUNCIL = Contest("d", "Council", "plurality", CONTEST.options, seats=2, max_choices=2, write_in="owl")
SONG = Contest("e", "Song", "ranked", CONTEST.options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("c/heron",), "stands for 'c/heron', which no contest has"),
        (("wren",), "stands for 'wren', which no contest has"),
        (("c/wren", "c/owl"), "stands for 2 options of contest c, in which a ballot may mark 1"),
        (("d/owl",), "a name that only the voter can write"),
        (("e/owl",), "whose contest is ranked"),
    ],
)
def test_parties_that_stand_for_what_no_ballot_holds(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        definition(contests=(CONTEST, COUNCIL, SONG), parties=(party(*options),))


def test_parties_that_cannot_be() -> None:
    with pytest.raises(DefinitionError, match="party 'feather' is listed twice"):
        definition(parties=(party("c/wren"), party("c/owl")))
    with pytest.raises(DefinitionError, match="has 513 parties"):
        definition(parties=tuple(party("c/wren", label=f"p{number}") for number in range(513)))
    for options in ((), ("c/wren", "c/wren")):
        with pytest.raises(DefinitionError, match="stands for no option, or for one twice"):
            party(*options)


def test_what_is_not_used_leaves_the_bytes_of_a_definition_alone() -> None:
    written = msgspec.to_builtins(definition(), builtin_types=(bytes,))
    assert set(written) == {
        "version", "id", "name", "date", "timezone", "provenance", "authority", "contests", "tables", "log",
    }  # fmt: skip
    assert set(written["contests"][0]) == {"id", "title", "rule", "options"}
    used = definition(contests=(CONTEST, COUNCIL), parties=(party("c/owl", "d/wren"),))
    written = msgspec.to_builtins(used, builtin_types=(bytes,))
    assert [tuple(one.values()) for one in written["parties"]] == [("feather", "Feather List", ("c/owl", "d/wren"))]
    assert msgspec.convert(written, Definition, builtin_types=(bytes,)) == used


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "x" * 129, "a\nb"])
def test_log_origins_that_cannot_be(origin: str) -> None:
    with pytest.raises(DefinitionError, match="log origin"):
        LogIdentity(origin, ("key",))


def test_a_log_has_a_key() -> None:
    with pytest.raises(DefinitionError, match="the log has no key"):
        LogIdentity("example.org", ())


def test_a_table_is_named_by_its_hash_and_size() -> None:
    assert table_hash(b"abc").size == 3
    assert table_hash(b"abc").sha256.hex().startswith("ba7816bf")
    with pytest.raises(DefinitionError, match="SHA-256 hash of 32 bytes"):
        TableHash(b"short", 1)


def test_an_election_joins_its_parts() -> None:
    regional = Contest("r", "Region", "plurality", CONTEST.options, unit="n")
    election = Election(definition(contests=(CONTEST, regional)), UNITS, Register(UNITS.station_index, bytes(32), ()), b"h" * 32)
    assert election.contest_index == {"c": 0, "r": 1}
    assert election.contest_units == (0, 1)
    assert election.votes_in(0, 1)
    agent = Issuer("agent/a", "agent", b"k" * 32)
    assert election.may(agent, "attestation")
    assert not election.may(agent, "tally-sheet")


@pytest.mark.parametrize(
    ("contest_unit", "issuer"),
    [
        ("nowhere", None),
        ("", Issuer("agent/a", "agent", b"k" * 32, unit="nowhere")),
        ("", Issuer("station/nowhere", "station", b"k" * 32)),
    ],
)
def test_an_election_names_only_units_that_exist(contest_unit: str, issuer: Issuer | None) -> None:
    contest = Contest("c", "Contest", "plurality", CONTEST.options, unit=contest_unit)
    register = Register(UNITS.station_index, bytes(32), [issuer] if issuer else [])
    with pytest.raises(DefinitionError, match="there is no unit 'nowhere'"):
        Election(definition(contests=(contest,)), UNITS, register, b"h" * 32)


TABLES = {name: table_hash(name.encode()) for name in ("units.csv", "register.csv", "baseline.csv")}
VOTES = np.array([[3, 4]], dtype=np.int32)


def test_a_baseline_needs_calls() -> None:
    with pytest.raises(DefinitionError, match="a baseline serves calls alone"):
        definition(tables=TABLES)
    assert definition(tables=TABLES, calls=CallSettings()).tables == TABLES


def test_a_baseline_belongs_to_a_definition_that_names_it() -> None:
    register = Register(UNITS.station_index, bytes(32), ())
    committed, plain = definition(tables=TABLES, calls=CallSettings()), definition(calls=CallSettings())
    assert Election(plain, UNITS, register, b"h" * 32).baseline == (None,)
    assert Election(committed, UNITS, register, b"h" * 32, (VOTES,)).baseline == (VOTES,)
    for own, baseline in ((committed, ()), (plain, (VOTES,))):
        with pytest.raises(DefinitionError, match=r"exactly where its definition names baseline\.csv"):
            Election(own, UNITS, register, b"h" * 32, baseline)
    with pytest.raises(DefinitionError, match=r"its stations and options need \(1, 2\)"):
        Election(committed, UNITS, register, b"h" * 32, (VOTES[:, :1],))
