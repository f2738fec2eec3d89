"""An election whose results stand, and steps of an audit of it by the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli_helpers import STATIONS, Result, call, opened, refused, rows, signed
from scrutineer.cli.office import Office
from scrutineer.cli.statement_files import read_statements
from scrutineer.statements import parse_statement

DICE = "20271 50314 15926 53589"
FIGURES = (130, 40, 10, 5, 3, 2)
HEADER = "box,contest,cards,blank,null,votes\n"


@dataclass(frozen=True)
class Land:
    """An election whose results stand, and the folder of an audit of it."""

    folder: Path
    audit: Path

    @property
    def log(self) -> tuple[object, ...]:
        return ("--log", self.folder)

    @property
    def signer(self) -> tuple[object, ...]:
        key = self.folder / "keys" / "officer-1.pem"
        return ("--log", self.folder, "--as", "authority/officer-1", "--key", key)

    def step(self, name: str, *options: object, code: int = 0, record: bool = True, **given: Any) -> Result:
        """A step that signs and records."""
        return call("audit", name, self.audit, *options, *self.signer, *(("--record",) if record else ()), code=code, **given)

    def refuse(self, name: str, *options: object, code: int = 1, record: bool = True) -> str:
        return refused("audit", name, self.audit, *options, *self.signer, *(("--record",) if record else ()), code=code)

    @property
    def given(self) -> tuple[object, ...]:
        return ("--protocol", self.folder.parent / "protocol.txt", "--manifest", self.folder.parent / "found.csv")

    def plan(self, *options: object) -> Result:
        return self.step("plan", *self.given, *options)

    def seed(self) -> Result:
        return self.step("seed", "--digits", DICE, "--how", "Ten-sided dice", "--who", "Visitors", "--when", "At noon")

    def table(self, name: str, votes: str = "130 40 10 5", boxes: tuple[str, ...] | None = None) -> Path:
        """Every drawn box as its sheet says, or with other votes."""
        drawn = boxes or tuple(call("audit", "draw", self.audit, "--json").json["boxes"])
        path = self.folder.parent / name
        path.write_text(HEADER + "".join(f"{box},president,190,3,2,{votes}\n" for box in drawn))
        return path

    def enter(
        self, *tables: Path, people: tuple[str, ...] = ("Dipper", "Wren"), code: int = 0, options: tuple[object, ...] = ()
    ) -> Any:
        named = [word for name in people[: len(tables)] for word in ("--by", name)]
        return self.step("enter", *tables, *named, "--json", *options, code=code).json


def counted_land(place: Path, figures: tuple[int, ...] = FIGURES) -> Path:
    """An opened election whose sheets are in its log."""
    folder = opened(place / "land")
    log = Office.load(folder).open_log()
    log.append(list(read_statements(signed(folder, rows(figures=figures)))))
    log.close()
    (place / "protocol.txt").write_text("Boxes are drawn by public dice and counted by hand.\n")
    (place / "found.csv").write_text("box,cards\n" + "".join(f"{box},{sum(figures)}\n" for box in STATIONS))
    return folder


def council_land(place: Path, tern: int = 150, knot: int = 30) -> Path:
    """An opened election whose sheets are in its log, in which the northern stations also vote for a council."""
    call("new", place / "land")
    definition = place / "land" / "election.toml"
    text = definition.read_text()
    options = "".join(f'[[contest.option]]\nid = "{name}"\nname = "{name.title()}"\n' for name in ("tern", "knot"))
    text += f'\n[[contest]]\nid = "council"\ntitle = "Council"\nrule = "plurality"\nunit = "north"\n{options}'
    definition.write_text(text)
    call("open", place / "land")
    names = ("heron", "kingfisher", "owl-forest", "owl-meadow", "tern", "knot")
    sheets = place / "sheets.csv"
    sheets.write_text(
        f"station,contest,{','.join(f'votes:{name}' for name in names)},blank,null,cast,voters\n"
        + "".join(f"{box},president,130,40,10,5,,,3,2,190,190\n" for box in STATIONS)
        + "".join(f"{box},council,,,,,{tern},{knot},8,2,{tern + knot + 10},190\n" for box in STATIONS if box.startswith("north"))
    )
    call("sign", place / "land", sheets, "--to", place / "sheets.bundle")
    log = Office.load(place / "land").open_log()
    log.append(list(read_statements(place / "sheets.bundle")))
    log.close()
    (place / "protocol.txt").write_text("What public dice draw is counted by hand.\n")
    (place / "found.csv").write_text("box,cards\n" + "".join(f"{box},190\n" for box in STATIONS))
    return place


def counts(land: Land) -> list[Any]:
    """The signed counts of the audit, by name."""
    return [parse_statement(path.read_bytes()) for path in sorted((land.audit / "counts").iterdir())]
