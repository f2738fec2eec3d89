from pathlib import Path

import pytest

from scrutineer.election.layout import layouts, load_layout
from scrutineer.errors import LayoutError

LAYOUT = """\
title = "Aviary 2026"
publisher = "The Nest"
date = "2026-06-07"
timezone = "UTC"

[file]
encoding = ["utf-8", "latin-1"]
delimiter = ";"
missing = ["", "NA"]
thousands = "."

[[derive]]
column = "NUMBER"
from = "CODE"
pattern = '^0*(\\d+)$'

[root]
id = "aviary"
name = "Aviary"

[[level]]
kind = "region"
id = "REGION"
name = "Region {REGION}"

[station]
id = ["REGION", "NUMBER"]
roll = "ROLL"

[[contest]]
id = "president"
title = "President"
rule = "plurality"
null = "NULL"

[[contest.option]]
id = "wren"
name = "Wren"
column = "WREN"

[[contest.option]]
id = "owl"
name = "Owl"
column = ["OWL A", "OWL B"]
"""


def test_a_layout_of_ones_own_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(LAYOUT)
    layout = load_layout(path)
    assert layout == load_layout(str(path))
    assert (layout.name, layout.title, layout.publisher) == ("mine", "Aviary 2026", "The Nest")
    assert layout.root == ("aviary", "Aviary", "country")
    assert layout.contests[0].options == (("WREN",), ("OWL A", "OWL B"))
    assert layout.contests[0].figures == {"null": ("NULL",)}
    assert layout.station.name == "{REGION} {NUMBER}"
    assert layout.file.missing == ("", "NA")


def test_every_shipped_layout_is_read() -> None:
    shipped = layouts()
    assert len(shipped) >= 15
    for name, title in shipped.items():
        layout = load_layout(name)
        assert layout.title == title
        assert layout.publisher
        assert all(columns.contest.options for columns in layout.contests)


BAD = {
    "not TOML": ('title = "Aviary 2026"', "title = Aviary", 1, "", "not readable as TOML"),
    "no publisher": ('publisher = "The Nest"\n', "", 1, "publisher", "missing; write publisher ="),
    "long publisher": ("The Nest", "x" * 600, 2, "publisher", "at most 512 characters"),
    "no date": ('"2026-06-07"', '"soon"', 3, "date", "is not a date"),
    "time zone": ('"UTC"', '"Moon"', 4, "timezone", "is not a known time zone"),
    "encoding": ('"latin-1"', '"latin-0"', 7, "file.encoding", "'latin-0' is not a known encoding"),
    "encoding of bytes": ('"latin-1"', '"hex"', 7, "file.encoding", "'hex' is not a known encoding"),
    "delimiter": ('delimiter = ";"', 'delimiter = ";;"', 8, "file.delimiter", "is not one sign"),
    "missing": ('["", "NA"]', "7", 9, "file.missing", "write a text or a list of texts"),
    "thousands": ('thousands = "."', 'thousands = "0"', 10, "file.thousands", "cannot stand within a number"),
    "decimal": ('thousands = "."', 'thousands = "."\ndecimal = "."', 11, "file.decimal", "the same sign as for thousands"),
    "pattern": ("'^0*(\\d+)$'", "'('", 15, "derive[1].pattern", "not a regular expression"),
    "groups": ("'^0*(\\d+)$'", "'^0*$'", 15, "derive[1].pattern", "needs exactly one group"),
    "no root": ('[root]\nid = "aviary"\nname = "Aviary"\n', "", 1, "root", "missing; add a section [root]"),
    "misspelt key": ("kind =", "kinds =", 22, "level[1].kinds", "no such key; write 'kind'"),
    "template": ("{REGION}", "{REGION!r}", 24, "level[1].name", "braces hold the name of a column"),
    "open brace": ("{REGION}", "{REGION", 24, "level[1].name", "braces do not close"),
    "no station id": ('id = ["REGION", "NUMBER"]\n', "", 26, "station.id", "missing; write id ="),
    "no contest": ("[[contest", "[[contests", 1, "contest", "missing; add a section [[contest]]"),
    "contest rule": ('"plurality"', '"most"', 33, "contest[1].rule", "'most' is not known here"),
    "figure": ("null =", "nul =", 34, "contest[1].nul", "no such key; write 'null'"),
    "option without a column": (
        'column = "WREN"\n',
        "",
        36,
        "contest[1].option",
        "some options have a column and some have none",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_fault_of_a_layout_is_named_by_file_line_and_field(tmp_path: Path, name: str) -> None:
    old, new, line, field, message = BAD[name]
    assert old in LAYOUT
    path = tmp_path / "mine.toml"
    path.write_text(LAYOUT.replace(old, new))
    with pytest.raises(LayoutError) as caught:
        load_layout(path)
    assert f"mine.toml, line {line}{f', {field}' if field else ''}: " in str(caught.value)
    assert message in str(caught.value)


def test_names_that_are_no_layout(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="there is no layout 'bolivia-2019-tre': write 'bolivia-2019-trep'"):
        load_layout("bolivia-2019-tre")
    with pytest.raises(LayoutError, match="there is no such file"):
        load_layout(tmp_path / "none.toml")
