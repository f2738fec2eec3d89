"""Copies held against sheets, whatever both state: compared with a slow rule that looks at one figure after the other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from observed_samples import PRESIDENT, WATCH, Said, admit, copy, made_up, rows, sheet
from scrutineer.election import Election
from scrutineer.observation import Observations

figure = st.none() | st.integers(0, 3)
row = st.tuples(figure, figure, figure, figure, figure)
stations = st.sampled_from(["n0", "n1", "s0"])


@settings(max_examples=60, deadline=None)
@given(sheets=st.dictionaries(stations, row), copies=st.lists(st.tuples(stations, row), max_size=6))
def test_every_figure_that_both_state_is_compared_and_no_other(
    sheets: dict[str, tuple[int | None, ...]], copies: list[tuple[str, tuple[int | None, ...]]]
) -> None:
    def say(election: Election) -> list[Said]:
        said = [admit(election, WATCH, "Bird Watch")]
        unstated = {"cast": None, "voters": None, "roll": None}
        for station, (*counts, blank, null) in sheets.items():
            said.append(sheet(election, station, tuple(counts), blank=blank, null=null, **unstated))
        for station, (*counts, blank, null) in copies:
            said.append(copy(election, WATCH, station, tuple(counts), blank=blank, null=null))
        return said

    record = made_up(rows(), (PRESIDENT,), say).record
    observations = Observations.of(record.count)
    numbers = record.election.units.station_index
    for station in ("n0", "n1", "s0"):
        held = observations.of_station(numbers[station], 0).copies
        own = [figures for at, figures in copies if at == station]
        assert len(held) == len(own)
        assert [one.superseded for one in held] == [True] * (len(own) - 1) + [False] * bool(own)
        record_row = sheets.get(station)
        for one, figures in zip(held, own, strict=True):
            if record_row is None:
                assert one.state == "no-sheet"
                continue
            both = [
                (at, a, b) for at, (a, b) in enumerate(zip(figures, record_row, strict=True)) if a is not None and b is not None
            ]
            assert [(d.figure, d.copy, d.sheet) for d in one.differing] == [t for t in both if t[1] != t[2]]
            assert one.equal == sum(a == b for _, a, b in both)
            assert one.unstated == sum(a is None and b is not None for a, b in zip(figures, record_row, strict=True))
            assert bool(one.reads_as) == (bool(both) and not one.differing)
    tally = observations.tally(0)
    assert tally.copied == len({station for station, _ in copies})
    assert tally.agreeing + tally.differing + tally.uncompared == tally.copied
    assert tally.differing == len(observations.differing(0))
