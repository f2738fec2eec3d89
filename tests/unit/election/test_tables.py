import pytest

from scrutineer.election import tables
from scrutineer.election.register import Issuer, Register
from scrutineer.election.tables import read_register, read_units, write_register, write_units
from scrutineer.election.units import UNKNOWN, UnitRow, Units
from scrutineer.errors import DefinitionError

HEADER = "id,parent,name,kind,roll\n"
PLAIN = HEADER + "c,,Country,country,\ns1,c,One,station,700\ns2,c,Two,station,\n"
UNITS = Units(
    [UnitRow("c", "", "C", "country", None), UnitRow("s1", "c", "1", "station", 5), UnitRow("s2", "c", "2", "station", 6)]
)
KEYS = bytes(range(64))


def test_units_are_read_and_written_the_same() -> None:
    units = read_units(PLAIN.encode())
    assert units.rolls.tolist() == [700, UNKNOWN]
    assert write_units(units) == PLAIN.encode()


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.removesuffix("\n"),
        PLAIN.replace("One", '"One"'),
        PLAIN.replace("\ns2", "\n\n\ns2"),
    ],
    ids=["BOM", "CRLF", "no last line end", "quoted", "empty lines"],
)
def test_other_spellings_of_the_same_table(text: str) -> None:
    assert write_units(read_units(text.encode())) == PLAIN.encode()


def test_commas_quotes_and_line_ends_within_cells() -> None:
    rows = [UnitRow("c", "", 'A "country", so called', "country", None)]
    assert list(read_units(write_units(Units(rows))).rows()) == rows


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "units.csv, line 1: there is no header; write the header id,parent,name,kind,roll"),
        (b"id,parent\n", "units.csv, line 1: the columns are id,parent; write the header"),
        (HEADER.encode(), "there are no units"),
        (PLAIN.replace("One", "Ñ").encode("latin-1"), "units.csv, line 3: not UTF-8"),
        (PLAIN.replace("c,One", "c,One,more").encode(), "units.csv, line 3: 6 cells where the header has 5"),
        (PLAIN.replace("s1,c,One,station,700", "s1").encode(), "units.csv, line 3: 1 cells where the header has 5"),
        (PLAIN.replace("One", '"One" and').encode(), "units.csv, line 3: not readable as CSV"),
        (PLAIN.replace("700", "0").encode(), "units.csv, line 3, roll: 0 cannot be a roll"),
        (PLAIN.replace("700", "-7").encode(), "units.csv, line 3, roll: '-7' is not a whole number"),
        (PLAIN.replace("700", "0700").encode(), "units.csv, line 3, roll: '0700' begins with a zero; write 700"),
        (PLAIN.replace("700", "7e2").encode(), "units.csv, line 3, roll: '7e2' is not a whole number"),
        (PLAIN.replace("700", "٧").encode(), "units.csv, line 3, roll: '٧' is not a whole number"),
        (PLAIN.replace("700", "9" * 5000).encode(), "units.csv, line 3, roll: 99999999999999999999 cannot be a roll"),
        (PLAIN.replace("700", "7_0").encode(), "units.csv, line 3, roll: '7_0' is not a whole number"),
    ],
)
def test_units_that_cannot_be_read(data: bytes, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_units(data)
    assert message in str(caught.value)


def test_a_register_is_read_and_written_the_same() -> None:
    others = [
        Issuer("authority/a", "authority", b"a" * 32, name="Council, first key"),
        Issuer("agent/b", "agent", b"b" * 1312, "ml-dsa-44", "s1"),
        Issuer("station/s1", "station", b"c" * 32, unit="s1"),
    ]
    written = write_register(Register(UNITS.station_index, KEYS, others))
    register = read_register(written, UNITS)
    assert register.station_keys == KEYS
    assert list(register.others()) == others
    assert write_register(register) == written


def test_stations_without_a_key_and_in_any_order() -> None:
    partial = Register(UNITS.station_index, bytes(32) + KEYS[32:], [])
    assert read_register(write_register(partial), UNITS).station_keys == partial.station_keys
    lines = write_register(Register(UNITS.station_index, KEYS, [])).decode().splitlines()
    turned = "\n".join([lines[0], lines[2], lines[1], ""])
    assert read_register(turned.encode(), UNITS).station_keys == KEYS


def row_of(**changes: str) -> bytes:
    cells = {"issuer": "agent/a", "unit": "", "algorithm": "ed25519", "key": "ab" * 32, "name": ""} | changes
    return f"issuer,unit,algorithm,key,name\n{','.join(cells.values())}\n".encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (row_of(key="zz" * 32), "register.csv, line 2: key: not hexadecimal"),
        (row_of(key="AB" * 32), "register.csv, line 2: key: not hexadecimal"),
        (row_of(key="ab " * 32), "register.csv, line 2: key: not hexadecimal"),
        (row_of(key="abc"), "register.csv, line 2: key: not hexadecimal"),
        (row_of(key="ab"), "register.csv, line 2: key of issuer 'agent/a' has 1 bytes"),
        (row_of(issuer="agnt/a"), "register.csv, line 2: issuer: 'agnt/a' begins with no role; write 'agent'"),
        (row_of(algorithm="rsa"), "register.csv, line 2: algorithm: 'rsa' is not used here"),
        (row_of(issuer="station/s1", unit="s2"), "register.csv, line 2: issuer 'station/s1' speaks for unit 's2'"),
        (row_of() + row_of().splitlines()[1], "issuer 'agent/a' is listed twice with the same key"),
    ],
)
def test_registers_that_cannot_be_read(data: bytes, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_register(data, UNITS)
    assert message in str(caught.value)


@pytest.mark.parametrize("stretch", [1, 7, 40, 1 << 20])
def test_a_table_reads_alike_however_it_is_cut_into_stretches(stretch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_STRETCH", stretch)
    rows = [("land", "", "Wetland", "country", ""), *((f"s{n}", "land", f"Hälle {n}", "station", str(n)) for n in range(1, 30))]
    plain = "id,parent,name,kind,roll\n" + "".join(",".join(row) + "\n" for row in rows)
    quoted = plain.replace("Wetland", '"Wetland"')
    units = tables.read_units(plain.encode())
    assert list(units.rows()) == list(tables.read_units(quoted.encode()).rows())
    assert list(units.rows()) == list(tables.read_units(plain.removesuffix("\n").encode("utf-8-sig")).rows())
    lines = [f"station/s{n},s{n},ed25519,{n:064x},\n" for n in range(1, 30)]
    others = [f"authority/{n},,ed25519,{n + 99:064x},Heron\n" for n in range(1, 4)]
    for order in (lines + others, others + lines, lines[:9] + others + lines[9:], lines[1:] + others):
        header = "issuer,unit,algorithm,key,name\n"
        read = tables.read_register((header + "".join(order)).encode(), units)
        again = tables.read_register((header + "".join(order).replace("Heron", '"Heron"')).encode(), units)
        assert read.station_keys == again.station_keys
        assert list(read.others()) == list(again.others())
        assert read.station_keys[-32:] == (29).to_bytes(32)
