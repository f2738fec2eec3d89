"""Arrivals against expectation, and late stations, on a night that is followed from a real log."""

from pathlib import Path

import pytest

from cli_helpers import STATIONS, call, opened, rows, signed
from scrutineer.cli.office import Office, now
from scrutineer.cli.statement_files import read_statements
from scrutineer.control.arrivals import BINS, LATELY, SILENCE, arrivals, late_stations, regions_of
from scrutineer.control.contacts import read_contacts
from scrutineer.control.night import Night
from scrutineer.election import UNKNOWN
from scrutineer.errors import UsageError
from scrutineer.log import SqliteStore
from scrutineer.statements import StationOpened, sign_statement


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(tmp_path_factory.mktemp("night") / "aviary")


def followed(office: Office) -> Night:
    night = Night(office.election, lambda: SqliteStore.open_reader(office.log_path), office.log_signer().verifier)
    night.look()
    return night


def append(office: Office, statements: list[bytes]) -> None:
    log = office.open_log()
    log.append(statements)
    log.close()


def sheets(folder: Path, stations: tuple[str, ...], name: str) -> list[bytes]:
    return list(read_statements(signed(folder, rows(stations), name)))


def test_the_log_is_followed_entry_by_entry(folder: Path) -> None:
    office = Office.load(folder)
    night = followed(office)
    assert night.ready
    before, version = night.count.size, night.version
    night.look()
    assert night.version == version, "nothing new, nothing changed"
    unit = office.election.units
    append(office, sheets(folder, STATIONS[:2], "two"))
    night.look()
    assert night.count.size == before + 2
    assert night.version > version
    assert night.root() == office.read_log().root(night.count.size)
    at = now()
    with night.hold():
        seen = arrivals(night, 0, at)
    assert (seen.whole.stations, seen.whole.arrived, seen.whole.outstanding, seen.whole.lately) == (6, 2, 4, 2)
    assert [(unit.ids[one.unit], one.arrived, one.expected) for one in seen.regions] == [("north", 2, 1), ("south", 0, 1)]
    assert len(seen.bins) == BINS
    assert seen.bins[-1] == 2
    assert at - night.when(night.count.size - 1) <= 5
    with night.hold():
        later = arrivals(night, 0, at + LATELY + 5)
        assert (later.whole.lately, later.bins[-2]) == (0, 2)
        late = late_stations(night, 0)
        assert [unit.ids[one.unit] for one in late] == ["north-3", "south-1", "south-2", "south-3"]
        assert {one.opened for one in late} == {UNKNOWN}
        assert [unit.ids[one.unit] for one in late_stations(night, 0, unit.index["south"])] == ["south-1", "south-2", "south-3"]
    night.stop()


def test_stations_open_longest_come_first(folder: Path) -> None:
    office = Office.load(folder)

    def opening(station: str, time: int) -> bytes:
        issuer = f"station/{station}"
        return sign_statement(
            StationOpened(election=office.election.hash, station=station, time=time), issuer, office.key_of(issuer)
        )

    append(office, [opening("south-3", 200), opening("south-1", 100)])
    night = followed(office)
    with night.hold():
        found = [(office.election.units.ids[one.unit], one.opened) for one in late_stations(night, 0)][:3]
    assert found == [("south-1", 100), ("south-3", 200), ("north-3", UNKNOWN)]
    night.stop()


def test_a_region_is_silent_or_behind_only_clearly(tmp_path: Path) -> None:
    rows_of = ["id,parent,name,kind,roll", "land,,Land,country,"]
    for region in ("a", "b", "c"):
        rows_of.append(f"{region},land,Region {region},region,")
        rows_of += [f"{region}{number},{region},Table {number},station,500" for number in range(40)]
    base = tmp_path / "land"
    call("new", base)
    (base / "units.csv").write_text("\n".join(rows_of) + "\n")
    call("open", base)
    office = Office.load(base)
    append(office, sheets(base, tuple(f"{region}{n}" for region in "ab" for n in range(36)), "most"))
    night = followed(office)
    with night.hold():
        seen = arrivals(night, 0, now())
        assert [one.state for one in seen.regions] == ["steady", "steady", "silent"]
        assert seen.most_wanting()[0].unit == seen.regions[2].unit
    append(office, sheets(base, ("c0", "c1"), "few"))
    night.look()
    with night.hold():
        seen = arrivals(night, 0, now())
        assert [one.state for one in seen.regions] == ["steady", "steady", "behind"]
        # Where nobody has sent anything lately, nobody is silent.
        quiet = arrivals(night, 0, now() + SILENCE + LATELY)
        assert [one.state for one in quiet.regions] == ["steady", "steady", "behind"]
    night.stop()


def test_regions_are_where_the_tree_branches(folder: Path) -> None:
    units = Office.load(folder).election.units
    assert [units.ids[unit] for unit in regions_of(units, 0)] == ["north", "south"]
    assert [units.ids[unit] for unit in regions_of(units, units.index["south"])] == ["south"]


def test_contacts_are_those_of_the_nearest_unit(folder: Path) -> None:
    units = Office.load(folder).election.units
    assert len(read_contacts(folder, units)) == 0
    file = folder / "contacts.csv"
    file.write_text('\ufeffunit,name,telephone\nsouth,"Office, South",+591 2 242-4221\n\nsouth-2,,(02) 111\n')
    contacts = read_contacts(folder, units)
    found = [contacts.of(units.position(unit)) for unit in ("north-1", "south-1", "south-2")]
    assert [one and (one.name, one.dial) for one in found] == [None, ("Office, South", "+59122424221"), ("", "02111")]
    for text, wrong in (
        ("unit,name\n", "line 1: the columns"),
        ("unit,name,telephone\nmoon,X,1\n", "line 2: there is no unit 'moon'"),
        ("unit,name,telephone\nsouth,X\n", "line 2: 2 columns"),
        ("unit,name,telephone\nsouth,X,1\nsouth,Y,2\n", "line 3: unit 'south' stands there twice"),
        ("unit,name,telephone\nsouth,X,javascript:alert(1)\n", "is not a telephone number"),
        ("unit,name,telephone\nsouth,X,\n", "is not a telephone number"),
        (f"unit,name,telephone\nsouth,{'x' * 201},1\n", "the name is longer"),
        ('unit,name,telephone\nsouth,"X,1\n', "line 2"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=wrong):
            read_contacts(folder, units)
    file.unlink()
