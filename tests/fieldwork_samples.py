"""Field work for the tests of papers and pages: boxes and options whose names try to be something else."""

from dataclasses import replace

from scrutineer.audits.fieldwork.work import Draw, DrawnBox, FieldWork
from scrutineer.election import Contest, Option

MARKUP = "#[x] *bold* _so_ $y$ \\ #let a=1 <b>&amp;</b> `raw` @at ~ // no"
RIGHT_TO_LEFT = "קלפי מספר שבע"
LONG = "Warbler" * 17

PRESIDENT = Contest(
    "president",
    f"President {MARKUP}",
    "plurality",
    (Option("heron", "Grey Heron"), Option("wren", MARKUP), Option("owl", RIGHT_TO_LEFT)),
)
COUNCIL = Contest(
    "council", "Council", "approval", tuple(Option(f"seat-{n}", f"Great reed warbler {n}") for n in range(40)), max_choices=3
)
MAYOR = Contest("mayor", "Mayor", "ranked", (Option("tern", "Tern"), Option("knot", "Knot"), Option("smew", "Smew")))

BOXES = (
    DrawnBox("a1", ("North", "Station a1"), (Draw(1, "ab" * 32), Draw(4, "cd" * 32)), (), (PRESIDENT,)),
    DrawnBox(MARKUP, (), (Draw(2, "ef" * 32),), (), (MAYOR, PRESIDENT)),
    DrawnBox(LONG, (), (Draw(3, "01" * 32),), (), (COUNCIL, PRESIDENT)),
    DrawnBox(RIGHT_TO_LEFT, (), (Draw(5, "23" * 32),), (), (PRESIDENT,)),
)
NAMES = tuple(box.name for box in BOXES)
POSITIONS = (3, 17, 20_488)

WORK = FieldWork("Land of birds", "Simulated.", "boxes", "Boxes against sheets", bytes(range(32)), True, 5, BOXES)
CARDS = replace(WORK, by_box=False, boxes=tuple(replace(box, positions=POSITIONS) for box in BOXES))
