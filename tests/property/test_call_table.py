"""Whatever bytes are given as a table of results, they are read or refused with an explanation."""

from hypothesis import given
from hypothesis import strategies as st

from scrutineer.calls.table_input import read_table
from scrutineer.errors import CallError

CELLS = st.one_of(
    st.sampled_from(["", "0", "1", "17", "-3", "51.2", "51,2 %", "1 204", "counted", "outstanding", "quarantined", "excluded"]),
    st.sampled_from(
        ["2024-05-01T19:30:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00+14:00", "12.5", "99999999999999999999"]
    ),
    st.text(max_size=6),
)
HEADS = st.lists(
    st.sampled_from(
        ["station", "Station", "roll", "region", "stratum", "time", "status", "valid", "blank", "null", "A", "B", ""]
    ),
    max_size=8,
)


def read_or_refuse(data: bytes, baseline: bytes | None = None) -> None:
    try:
        table = read_table(data, baseline)
    except CallError as error:
        assert str(error)  # noqa: PT017 - either end is right; an error must explain itself
        return
    assert len(table.stations) == len(table.partial.counted)
    assert table.partial.counted_stations + table.partial.open_stations <= len(table.stations)


@given(st.binary(max_size=200), st.none() | st.binary(max_size=60))
def test_any_bytes(data: bytes, baseline: bytes | None) -> None:
    read_or_refuse(data, baseline)


@given(st.text(max_size=200))
def test_any_text_behind_a_header(text: str) -> None:
    read_or_refuse(b"station,roll,A,B\n" + text.encode("utf-8", "replace"))


@given(HEADS, st.lists(st.lists(CELLS, max_size=8), max_size=8), st.sampled_from([",", ";", "\t"]))
def test_tables_of_odd_cells(head: list[str], rows: list[list[str]], sign: str) -> None:
    text = "\n".join(sign.join(cells) for cells in (head, *rows))
    read_or_refuse(text.encode("utf-8", "replace"), text.encode("utf-8", "replace"))


@given(st.permutations(["station", "roll", "time", "A", "B"]), st.lists(st.tuples(*[CELLS] * 5), max_size=12))
def test_tables_with_one_cell_for_each_column(head: list[str], rows: list[tuple[str, ...]]) -> None:
    lines = [head, *([f"{number}{cell}" if name == "station" else cell for name, cell in zip(head, cells, strict=True)]
             for number, cells in enumerate(rows))]  # fmt: skip
    read_or_refuse("\n".join(",".join(cells) for cells in lines).encode("utf-8", "replace"))
