"""`audit papers` and `audit pages`: what goes to those who fetch and count."""

import json
from pathlib import Path

import pytest

from cli_helpers import STATIONS, call, opened, refused, rows, signed
from scrutineer.audits.entry_table import read_entries
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements

DICE = "20271503141592653589"
PAPERS = ("labels.pdf", "list.pdf", "sheets.pdf")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An election with its results, and two audits of it that are drawn: of boxes, and of cards."""
    place = tmp_path_factory.mktemp("drawn")
    land = opened(place / "land")
    log = Office.load(land).open_log()
    log.append(list(read_statements(signed(land, rows(figures=(130, 40, 10, 5, 3, 2))))))
    log.close()
    (place / "protocol.txt").write_text("What public dice draw is counted by hand.\n")
    signer = ("--log", land, "--as", "authority/officer-1", "--key", land / "keys" / "officer-1.pem", "--record")
    designs = {"boxes": "batch-betting", "cards": "polling"}
    (place / "found.csv").write_text("box,cards\n" + "".join(f"{box},190\n" for box in STATIONS))
    for name, design in designs.items():
        given = ("--protocol", place / "protocol.txt", "--design", design, "--manifest", place / "found.csv")
        call("audit", "plan", place / name, *given, *signer)
    # One throw serves both, because both were planned before it.
    for name in designs:
        said = ("--how", "Ten-sided dice", "--who", "Visitors", "--when", "At noon")
        call("audit", "seed", place / name, "--digits", DICE, *said, *signer)
        call("audit", "draw", place / name)
    return place


@pytest.mark.parametrize(("name", "what"), [("boxes", "6 boxes"), ("cards", "cards in 6 boxes")])
def test_papers_for_what_was_drawn(place: Path, name: str, what: str, tmp_path: Path) -> None:
    told = call("audit", "papers", place / name, "--log", place / "land", "--to", tmp_path / "papers").out
    assert what in told
    assert tuple(sorted(path.name for path in (tmp_path / "papers").iterdir())) == PAPERS
    made = {path.name: path.read_bytes() for path in (tmp_path / "papers").iterdir()}
    again = call("audit", "papers", place / name, "--log", place / "land", "--to", tmp_path / "again", "--sheets", "--json").json
    assert again["files"] == [str(tmp_path / "again" / "sheets.pdf")]
    assert (tmp_path / "again" / "sheets.pdf").read_bytes() == made["sheets.pdf"]
    assert {path.name for path in (tmp_path / "again").iterdir()} == {"sheets.pdf"}


def test_a_later_round_has_papers_of_its_own(place: Path, tmp_path: Path) -> None:
    arguments = ("audit", "papers", place / "cards", "--log", place / "land", "--list", "--json", "--to", tmp_path)
    every, later = call(*arguments).json, call(*arguments, "--from-draw", 5).json
    assert later["cards"] == every["cards"] - 4


def test_the_page_is_one_file(place: Path, tmp_path: Path) -> None:
    told = call("audit", "pages", place / "boxes", "--log", place / "land", "--to", tmp_path / "pages").out
    assert "audit enter" in told
    assert [path.name for path in (tmp_path / "pages").iterdir()] == ["index.html"]
    page = (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")
    assert "north-1" in page
    assert "190" not in page, "no figure of the results stands in it"


def test_what_the_page_saves_is_entered(place: Path, tmp_path: Path) -> None:
    """Rows as the page writes them are those that `audit enter` takes; a whole count comes of two that agree."""
    cells = {"discrepancies": "", "images": "", "note": "", "position": "", "status": "counted", "contest": "president"}
    row = cells | {"box": "north-1", "blank": "3", "null": "2", "cards": "190", "votes": "130 40 10 5"}
    tables = []
    for person in ("dipper", "wren"):
        table = tmp_path / f"{person}.json"
        table.write_text(f"[{json.dumps(row, sort_keys=True)}]")
        assert read_entries(table.read_bytes(), person, table.name).rows
        tables.append(table)
    signer = ("--log", place / "land", "--as", "authority/officer-1", "--key", place / "land" / "keys" / "officer-1.pem")
    entered = call("audit", "enter", place / "boxes", *tables, "--by", "Dipper", "--by", "Wren", *signer, "--json").json
    assert (entered["counted"], entered["differences"]) == (["north-1"], [])


def test_nothing_is_printed_without_a_draw_or_for_another_election(place: Path, tmp_path: Path) -> None:
    log = ("--log", place / "land", "--to", tmp_path / "papers")
    for command in ("papers", "pages"):
        assert "holds no signed plan" in refused("audit", command, tmp_path / "none", *log, code=2)
        assert "nothing is drawn" in refused(
            "audit", command, place / "boxes", *log, "--from-draw", 1_000, code=2 if command == "pages" else 1
        )
    other = opened(tmp_path / "other")
    assert "another election" in refused("audit", "papers", place / "boxes", "--log", other, "--to", tmp_path / "papers", code=2)
    assert not (tmp_path / "papers").exists()
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in (place / "boxes").iterdir():
        if path.is_file():
            (changed / path.name).write_bytes(path.read_bytes())
    draw = changed / "draw.csv"
    draw.write_text(draw.read_text().replace("north-1", "north-2", 1))
    assert "draw again" in refused("audit", "papers", changed, *log, code=1)
