"""Tally sheets with every figure known, unknown or at its limit."""

from hypothesis import strategies as st

from scrutineer.election.contests import MAX_OPTIONS
from scrutineer.statements import TallySheet
from scrutineer.statements.tally_sheet import MAX_COUNT, MAX_TIME

hashes = st.binary(min_size=32, max_size=32)
counts = st.integers(0, 30) | st.integers(0, 70_000) | st.sampled_from([4095, 4096, 65535, 65536, MAX_COUNT])
maybe = st.none() | counts
station_ids = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=16)
orders = st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True).map(tuple)
rankings = st.dictionaries(orders, counts, max_size=8).map(lambda found: tuple(sorted(found.items())))


@st.composite
def sheets(draw: st.DrawFn, max_options: int = 40) -> TallySheet:
    """A sheet that may be encoded; ranked ones carry rankings instead of counts."""
    ranked = draw(st.booleans()) and draw(st.booleans())
    several = st.lists(maybe, max_size=max_options) | st.integers(0, MAX_OPTIONS).map(lambda size: [7] * size)
    return TallySheet(
        election=draw(hashes),
        station=draw(station_ids),
        contest=draw(station_ids),
        counts=() if ranked else tuple(draw(several)),
        blank=draw(maybe),
        null=draw(maybe),
        cast=draw(maybe),
        voters=draw(maybe),
        roll=draw(maybe),
        time=draw(st.none() | st.integers(0, MAX_TIME - 1)),
        image=draw(st.none() | hashes),
        records=draw(st.none() | hashes),
        rankings=draw(rankings) if ranked else None,
        source=draw(st.none() | st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=256)),
    )
