"""Elections that a definition may hold: unit trees, contests under every rule, registers."""

import string
from collections.abc import Sequence

from hypothesis import strategies as st

from scrutineer.election import (
    Alternative,
    Candidate,
    Contest,
    Definition,
    Election,
    LogIdentity,
    Option,
    Register,
    UnitRow,
    Units,
)
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import LIST_RULES
from scrutineer.election.definition import REGISTER_TABLE, UNITS_TABLE, table_hash, write_register, write_units

identifiers = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=8)
names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
shares = st.sampled_from(["", "1/2", "40 %", "0.05", "3/100"])
BIRDS = ("Heron", "Ibis", "Jacana", "Kestrel", "Lapwing", "Merlin")


@st.composite
def unit_rows(draw: st.DrawFn, max_units: int = 12) -> list[UnitRow]:
    """Units in pre-order, the country first; leaves are stations with a roll or without."""
    count = draw(st.integers(2, max_units))
    ids = draw(st.lists(identifiers, min_size=count, max_size=count, unique=True))
    parents = [-1] + [draw(st.integers(0, number - 1)) for number in range(1, count)]
    leaves = set(range(count)) - set(parents)
    rows = [
        UnitRow(
            ids[number],
            ids[parent] if parent >= 0 else "",
            draw(names),
            draw(st.sampled_from(["country", "state", "zone", "polling-place", "station"])),
            draw(st.none() | st.integers(1, 5000)) if number in leaves else None,
        )
        for number, parent in enumerate(parents)
    ]
    return list(Units(rows).rows())


@st.composite
def contests(draw: st.DrawFn, contest_id: str = "president", units: Sequence[str] = ()) -> Contest:
    """A contest under any rule; some options may belong to one candidate."""
    rule = draw(st.sampled_from(["plurality", "approval", "yes-no", "majority", "ranked", "dhondt", "sainte-lague", "hamilton"]))
    count = 2 if rule == "yes-no" else draw(st.integers(1, 6))
    ids = draw(st.lists(identifiers, min_size=count, max_size=count, unique=True))
    allied = rule != "yes-no" and draw(st.booleans())
    candidate = next(text for text in ("swallow", "swift", "teal", "tern", "thrush", "veery", "wren") if text not in ids)
    options = tuple(
        Option(option, draw(names), candidate if allied and (number == 0 or draw(st.booleans())) else "")
        for number, option in enumerate(ids)
    )
    multiple = rule in ("plurality", "approval")
    return Contest(
        id=contest_id,
        title=draw(names),
        rule=rule,  # type: ignore[arg-type]
        options=options,
        seats=draw(st.integers(1, 5)) if multiple or rule in LIST_RULES else 1,
        max_choices=draw(st.integers(1, count)) if multiple else 1,
        threshold="" if rule in ("plurality", "approval", "ranked") else draw(shares),
        alternative=draw(st.none() | st.just(Alternative("40 %", "0.1"))) if rule == "majority" else None,
        base=draw(st.sampled_from(["valid", "cast"])),
        unit=draw(st.sampled_from(["", *units])),
        candidates=(Candidate(candidate, draw(names)),) if allied else (),
        recount=draw(st.sampled_from(["", "0.5 %"])),
    )


@st.composite
def elections(draw: st.DrawFn, max_units: int = 12, max_contests: int = 2) -> Election:
    """A definition with its tables."""
    units = Units(draw(unit_rows(max_units)))
    keys = b"".join(number.to_bytes(32) for number in range(1, units.station_count + 1))
    register = Register(units.station_index, keys, ())
    contest_ids = draw(st.lists(identifiers, min_size=1, max_size=max_contests, unique=True))
    definition = Definition(
        version=1,
        id=draw(identifiers),
        name=draw(names),
        date=draw(st.dates()).isoformat(),
        timezone="UTC",
        provenance="simulated",
        authority=draw(names),
        contests=tuple(draw(contests(contest_id, units.ids)) for contest_id in contest_ids),
        tables={UNITS_TABLE: table_hash(write_units(units)), REGISTER_TABLE: table_hash(write_register(register))},
        log=LogIdentity("log.example/heron", ("heron+00000000+AQ==",)),
        opening_required=draw(st.booleans()),
        calls=draw(st.none() | st.just(CallSettings("1/20", "2.5", 2, 3))),
        thresholds=draw(st.dictionaries(st.sampled_from(["decision", "certificate"]), st.integers(1, 3))),
        rules=draw(st.dictionaries(identifiers, st.sampled_from(["error", "warning", "off"]), max_size=3)),
    )
    return Election(definition, units, register, draw(st.binary(min_size=32, max_size=32)))
