import os
from pathlib import Path

import pytest

from scrutineer.election import toml_table
from scrutineer.election.definition import LogIdentity, table_hash
from scrutineer.election.finding import Finding, did_you_mean, summary
from scrutineer.election.folder import Draft, check_folder, draft_definition, read_folder, scaffold
from scrutineer.election.parties import Party
from scrutineer.errors import DefinitionError, UsageError

ELECTION = """\
[election]
id = "aviary"
name = "Aviary"
date = 2026-06-07
timezone = "UTC"
authority = "Council"
[thresholds]
decision = 2
[rules]
full-turnout = "off"
[[contest]]
id = "president"
title = "President"
rule = "majority"
threshold = "1/2"
alternative = { share = "40 %", lead = "10 %" }
unit = "north"
[[contest.option]]
id = "wren"
name = "Wren"
[[contest.option]]
id = "owl-a"
name = "Owl (A)"
candidate = "owl"
[[contest.candidate]]
id = "owl"
name = "Owl"
"""
UNITS = """\
id,parent,name,kind,roll
aviary,,Aviary,country,
north,aviary,North,region,
n1,north,One,station,700
n2,north,Two,station,
"""
REGISTER = "issuer,unit,algorithm,key,name\nagent/a,north,ed25519," + "ab" * 32 + ",A. Agent\n"
RULES = ("full-turnout", "above-roll")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "election.toml").write_text(ELECTION)
    (tmp_path / "units.csv").write_text(UNITS)
    return tmp_path


def test_a_valid_folder_is_read_whole(folder: Path) -> None:
    (folder / "register.csv").write_text(REGISTER)
    assert check_folder(folder, RULES) == []
    draft = read_folder(folder, RULES)
    assert (draft.id, draft.date, draft.timezone, draft.provenance) == ("aviary", "2026-06-07", "UTC", "official")
    assert draft.thresholds == {"decision": 2}
    assert draft.rules == {"full-turnout": "off"}
    assert draft.contests[0].unit == "north"
    assert draft.contests[0].alternative is not None
    assert [candidate.name for candidate in draft.contests[0].standing()] == ["Wren", "Owl"]
    assert draft.units.station_index == {"n1": 0, "n2": 1}
    assert [issuer.id for issuer in draft.issuers] == ["agent/a"]
    assert not draft.opening_required


def test_the_draft_becomes_a_definition(folder: Path) -> None:
    draft = read_folder(folder)
    tables = {"units.csv": table_hash(b"u"), "register.csv": table_hash(b"r")}
    definition = draft_definition(draft, tables, LogIdentity("example.org/log", ("key",)))
    assert (definition.id, definition.contests, definition.rules) == ("aviary", draft.contests, {"full-turnout": "off"})
    assert definition.needed("decision") == 2


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Path) -> None:
    (folder / "election.toml").write_bytes(b"\xef\xbb\xbf" + ELECTION.replace("\n", "\r\n").encode())
    (folder / "units.csv").write_bytes(b"\xef\xbb\xbf" + UNITS.replace("\n", "\r\n").encode())
    assert isinstance(read_folder(folder), Draft)


def test_a_replayed_election_names_its_source(folder: Path) -> None:
    text = ELECTION.replace("[thresholds]", 'provenance = "replayed"\nsource = "The Nest"\nopening_required = true\n[thresholds]')
    (folder / "election.toml").write_text(text)
    draft = read_folder(folder)
    assert (draft.provenance, draft.source, draft.opening_required) == ("replayed", "The Nest", True)


_PARTY = '[[party]]\nid = "feather"\nname = "Feather"\noptions = [{}]\n[[contest]]'


def test_parties_are_read_into_the_definition(folder: Path) -> None:
    text = ELECTION.replace("[[contest]]", _PARTY.format('"president/wren"'))
    (folder / "election.toml").write_text(text)
    assert check_folder(folder, RULES) == []
    tables = {"units.csv": table_hash(b"u"), "register.csv": table_hash(b"r")}
    definition = draft_definition(read_folder(folder), tables, LogIdentity("example.org/aviary", ("key",)))
    assert definition.parties == (Party("feather", "Feather", ("president/wren",)),)


# name -> (text to replace, replacement, line, field, part of the message)
BAD_ELECTIONS = {
    "syntax": ('id = "aviary"', "id = aviary", 2, "", "not readable as TOML"),
    "unfinished": ('name = "Owl"\n', 'name = "Owl', 27, "", "not readable as TOML"),
    "key twice": ('name = "Aviary"', 'id = "again"', 3, "", "not readable as TOML"),
    "empty file": (ELECTION, "", 1, "election", "missing; add a section [election]"),
    "no id": ('id = "aviary"\n', "", 1, "election.id", "missing; write id ="),
    "bad id": ('"aviary"', '"the aviary"', 2, "election.id", "cannot be used as an identifier"),
    "empty name": ('"Aviary"', '" "', 3, "election.name", "empty; write name ="),
    "wrong type": ('name = "Aviary"', "name = 7", 3, "election.name", "7 is a whole number; write text"),
    "date": ("2026-06-07", '"7.6.2026"', 4, "election.date", "is not a date; write it as YYYY-MM-DD"),
    "short date": ("2026-06-07", '"20260607"', 4, "election.date", "is not a date"),
    "time zone": ('"UTC"', '"Moon"', 5, "election.timezone", "'Moon' is not a known time zone"),
    "time zone outside": ('"UTC"', '"/etc/passwd"', 5, "election.timezone", "is not a known time zone"),
    "misspelt key": ("authority", "autority", 6, "election.autority", "no such key; write 'authority'"),
    "misspelt table": ("[thresholds]", "[threshold]", 7, "threshold", "no such key; write 'thresholds'"),
    "act": ("decision = 2", "decisions = 2", 8, "thresholds.decisions", "no such key; write 'decision'"),
    "signatures": ("decision = 2", "decision = 0", 8, "thresholds.decision", "write a whole number from 1 to 100"),
    "signatures as text": ("decision = 2", 'decision = "2"', 8, "thresholds.decision", "'2' is text; write a whole number"),
    "signatures as truth": ("decision = 2", "decision = true", 8, "thresholds.decision", "True is true or false"),
    "rule id": ("full-turnout", "full-turnup", 10, "rules.full-turnup", "no such key; write 'full-turnout'"),
    "severity": ('"off"', '"none"', 10, "rules.full-turnout", "'none' is not known here"),
    "contest rule": ('"majority"', '"majorty"', 14, "contest[1].rule", "write 'majority'"),
    "threshold": ('"1/2"', '"most"', 15, "contest[1].threshold", "'most' is not a share"),
    "threshold unused": ('"majority"', '"plurality"', 15, "contest[1].threshold", "does not use: remove it"),
    "lead": ('"10 %"', '"110 %"', 16, "contest[1].alternative.lead", "it must be more than 0 and less than 1"),
    "unit": ('unit = "north"', 'unit = "nord"', 17, "contest[1].unit", "there is no unit 'nord' in units.csv"),
    "no seats": ('unit = "north"', "seats = 0", 17, "contest[1].seats", "0 is out of range"),
    "too many seats": ('unit = "north"', "seats = 2", 17, "contest[1].seats", "fills one: write seats = 1"),
    "choices": ('unit = "north"', "max_choices = 3", 17, "contest[1].max_choices", "allows 3 choices"),
    "decimal": ('unit = "north"', "seats = 1.0", 17, "contest[1].seats", "is a decimal number; write a whole number"),
    "option twice": ('"owl-a"', '"wren"', 22, "contest[1].option[2].id", "is the id of another option already"),
    "option key": ('candidate = "owl"', 'canditate = "owl"', 24, "contest[1].option[2].canditate", "write 'candidate'"),
    "candidate": ('id = "owl"\n', 'id = "hen"\n', 25, "contest[1].candidate", "names candidate 'hen', whom no option supports"),
    "no options": ("[[contest.option]]", "[[contest.options]]", 18, "contest[1].options", "no such key; write 'option'"),
    "no contest": ("[[contest", "[[contests", 11, "contests", "no such key; write 'contest'"),
    "one contest as a table": (
        ELECTION[ELECTION.index("[[contest]]") :],
        '[contest]\nid = "a"',
        11,
        "contest",
        "not a list of tables",
    ),
    "write-in": ('unit = "north"', 'write_in = "other"', 17, "contest[1].write_in", "which is none of its options"),
    "party of nothing": ("[[contest]]", _PARTY.format('"president/hen"'), 14, "party[1].options", "which no contest has"),
    "source": ("[thresholds]", 'source = "x"\n[thresholds]', 7, "election.source", 'with provenance = "replayed", and only then'),
}


@pytest.mark.parametrize("name", BAD_ELECTIONS)
def test_every_fault_of_the_election_is_found_by_line_and_field(folder: Path, name: str) -> None:
    old, new, line, field, message = BAD_ELECTIONS[name]
    assert old in ELECTION
    (folder / "election.toml").write_text(ELECTION.replace(old, new))
    findings = check_folder(folder, RULES)
    assert any((f.line, f.field) == (line, field) and message in f.message for f in findings), list(map(str, findings))
    assert {finding.file for finding in findings} == {"election.toml"}
    with pytest.raises(DefinitionError, match=r"election\.toml, line"):
        read_folder(folder, RULES)


BAD_UNITS = {
    "empty file": ("", 1, "", "there is no header; write the header id,parent,name,kind,roll"),
    "header alone": (UNITS.splitlines()[0], 1, "", "there are no units"),
    "other header": (UNITS.replace("roll", "voters", 1), 1, "", "the columns are id,parent,name,kind,voters"),
    "ragged": (UNITS.replace("One,", "One,,"), 4, "", "6 cells where the header has 5"),
    "short": (UNITS.replace(",station,700", ""), 4, "", "3 cells where the header has 5"),
    "station twice": (UNITS + "n1,north,Again,station,3\n", 6, "id", "unit 'n1' is listed already on line 4"),
    "roll of zero": (UNITS.replace("700", "0"), 4, "roll", "0 cannot be a roll; write the number of registered voters"),
    "negative roll": (UNITS.replace("700", "-1"), 4, "roll", "'-1' is not a whole number"),
    "roll of a region": (UNITS.replace("region,", "region,9"), 3, "roll", "rolls are summed; leave its own roll empty"),
    "cycle": (UNITS + "a,b,A,region,\nb,a,B,region,\n", 6, "parent", "'a' in 'b' in 'a': a cycle"),
    "unknown parent": (UNITS.replace("n2,north", "n2,nord"), 5, "parent", "'n2' lies in 'nord', which is not listed"),
    "two roots": (
        UNITS.replace("north,aviary", "north,"),
        3,
        "parent",
        "'north' has no parent, and neither has 'aviary' on line 2",
    ),
    "no root": (UNITS.replace("aviary,,", "aviary,n2,"), 2, "parent", "no unit has an empty parent"),
    "bad id": (UNITS.replace("n2,", "n/2,"), 5, "id", "cannot be used as an identifier"),
    "no name": (UNITS.replace("Two", ""), 5, "name", "cannot be used as a name"),
    "bad kind": (UNITS.replace("Two,station", "Two,a station"), 5, "kind", "cannot be used as an identifier"),
    "quotes": (UNITS.replace("Two", '"Two'), 5, "", "not readable as CSV"),
    "too deep": (
        UNITS + "".join(f"d{n},{f'd{n - 1}' if n else 'north'},D,x,\n" for n in range(31)),
        36,
        "parent",
        "more than 32 levels deep",
    ),
}


@pytest.mark.parametrize("name", BAD_UNITS)
def test_every_fault_of_the_units_is_found_by_line_and_field(folder: Path, name: str) -> None:
    text, line, field, message = BAD_UNITS[name]
    (folder / "units.csv").write_text(text)
    findings = check_folder(folder)
    assert any((f.line, f.field) == (line, field) and message in f.message for f in findings), list(map(str, findings))
    assert {finding.file for finding in findings} == {"units.csv"}
    with pytest.raises(DefinitionError, match=r"units\.csv, line"):
        read_folder(folder)


def test_latin_1_is_refused_with_its_line(folder: Path) -> None:
    (folder / "units.csv").write_bytes(UNITS.replace("Two", "Ñandú").encode("latin-1"))
    (folder / "election.toml").write_bytes(ELECTION.replace("Council", "Consejo de Ñandúes").encode("latin-1"))
    assert check_folder(folder) == [
        Finding("election.toml", 6, "", "not UTF-8; save the file as UTF-8"),
        Finding("units.csv", 5, "", "not UTF-8; save the file as UTF-8"),
    ]


def test_all_faults_are_found_at_once_and_the_error_names_the_first(folder: Path) -> None:
    (folder / "election.toml").write_text(ELECTION.replace('"UTC"', '"Moon"').replace('"1/2"', '"most"'))
    (folder / "units.csv").write_text(UNITS.replace("700", "0").replace("n2,north,Two", "n1,nord,"))
    findings = check_folder(folder)
    assert [(f.file, f.line, f.field) for f in findings] == [
        ("election.toml", 5, "election.timezone"),
        ("election.toml", 15, "contest[1].threshold"),
        ("units.csv", 4, "roll"),
        ("units.csv", 5, "id"),
        ("units.csv", 5, "name"),
        ("units.csv", 5, "parent"),
    ]
    with pytest.raises(DefinitionError, match=r"election.toml, line 5, election.timezone: .*; and 3 more"):
        read_folder(folder)


def test_a_table_of_faults_is_not_listed_to_its_end(folder: Path) -> None:
    (folder / "units.csv").write_text(UNITS + "x,y\n" * 5_000)
    assert len(check_folder(folder)) == 200


BAD_REGISTERS = {
    "key": (REGISTER.replace("ab" * 32, "xy" * 32), 2, "", "not hexadecimal"),
    "role": (REGISTER.replace("agent/", "agnt/"), 2, "", "write 'agent'"),
    "unit": (REGISTER.replace("north", "nord"), 2, "unit", "there is no unit 'nord' in units.csv"),
    "station": (REGISTER.replace("agent/a,north", "station/x,"), 2, "issuer", "there is no unit 'x' in units.csv"),
    "twice": (REGISTER + REGISTER.splitlines()[1], 3, "issuer", "with the same key already on line 2"),
    "ragged": (REGISTER.replace("A. Agent", "Agent, A."), 2, "", "6 cells where the header has 5"),
    "empty file": ("", 1, "", "there is no header"),
}


@pytest.mark.parametrize("name", BAD_REGISTERS)
def test_every_fault_of_the_register_is_found_by_line(folder: Path, name: str) -> None:
    text, line, field, message = BAD_REGISTERS[name]
    (folder / "register.csv").write_text(text)
    findings = check_folder(folder)
    assert [(f.file, f.line, f.field) for f in findings] == [("register.csv", line, field)]
    assert message in findings[0].message


def test_missing_files_and_folders(tmp_path: Path) -> None:
    findings = check_folder(tmp_path / "nowhere")
    assert [(f.file, f.line) for f in findings] == [("election.toml", 0), ("units.csv", 0)]
    assert all("there is no such file" in f.message for f in findings)
    file = tmp_path / "file"
    file.write_text("")
    assert all("cannot be read (Not a directory)" in f.message for f in check_folder(file))


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    # A link to itself fails for everyone; permissions would not stop the superuser.
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    findings = check_folder(tmp_path / "loop")
    assert [f.file for f in findings] == ["election.toml", "units.csv"]
    assert all("cannot be read (Too many levels of symbolic links)" in f.message for f in findings)


def test_what_is_no_file_is_not_opened(folder: Path) -> None:
    (folder / "units.csv").unlink()
    os.mkfifo(folder / "units.csv")
    assert [str(f) for f in check_folder(folder)] == ["units.csv: not a regular file; put the file itself there"]
    (folder / "units.csv").unlink()
    (folder / "units.csv").mkdir()
    assert [str(f) for f in check_folder(folder)] == ["units.csv: not a regular file; put the file itself there"]


def test_files_are_bounded(folder: Path) -> None:
    with (folder / "units.csv").open("r+b") as file:
        file.truncate(512 * 1024 * 1024 + 1)  # a hole: it takes no room on the disk
    with (folder / "election.toml").open("r+b") as file:
        file.truncate(toml_table.MAX_TOML_SIZE + 1)
    assert [str(f) for f in check_folder(folder)] == [
        "election.toml: larger than 4 MB, which is the most; shorten it",
        "units.csv: larger than 512 MB, which is the most; shorten it",
    ]


def test_what_is_nested_without_end_is_refused(folder: Path) -> None:
    (folder / "election.toml").write_text("a = " + "[" * 100_000)
    (finding,) = check_folder(folder)
    assert "not readable as TOML" in finding.message


def test_the_scaffold_is_a_valid_election_that_teaches(tmp_path: Path) -> None:
    target = tmp_path / "new" / "election"
    written = scaffold(target)
    assert sorted(path.name for path in written) == ["election.toml", "units.csv"]
    assert check_folder(target) == []
    draft = read_folder(target)
    assert draft.units.station_count == 6
    text = (target / "election.toml").read_text()
    for word in (
        "plurality", "approval", "yes-no", "majority", "ranked", "dhondt", "sainte-lague", "hamilton", "opening_required",
        "provenance", "source", "thresholds", "rules", "seats", "max_choices", "threshold", "alternative", "base", "unit",
        "write_in", "party",
    ):  # fmt: skip
        assert word in text


def test_what_the_scaffold_shows_in_comments_is_valid_too(tmp_path: Path) -> None:
    scaffold(tmp_path)
    file = tmp_path / "election.toml"
    lines = file.read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("# A council of five"))
    end = next(number for number, line in enumerate(lines) if line.startswith("# Others in one line"))
    examples = [line.removeprefix("#").strip() for line in lines[begin:end]]
    contests = [
        line if line.startswith(("[", "id", "title", "rule", "seats", "thresh", "name", "unit", "options")) else ""
        for line in examples
    ]
    file.write_text("\n".join([*lines[:begin], *contests, ""]))
    assert check_folder(tmp_path) == []
    assert [contest.rule for contest in read_folder(tmp_path).contests] == ["majority", "dhondt", "yes-no"]
    assert [party.id for party in read_folder(tmp_path).parties] == ["feather"]


def test_the_scaffold_leaves_what_is_there_alone(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("mine")
    with pytest.raises(UsageError, match="is not empty: name a new or an empty folder"):
        scaffold(tmp_path)
    assert (tmp_path / "units.csv").read_text() == "mine"
    with pytest.raises(UsageError, match="cannot be written"):
        scaffold(tmp_path / "units.csv" / "below")


def test_how_findings_read() -> None:
    assert str(Finding("f", 3, "a.b", "wrong; write right")) == "f, line 3, a.b: wrong; write right"
    assert str(Finding("f", 0, "", "wrong")) == "f: wrong"
    assert summary([Finding("f", n, "", "x") for n in range(1, 6)], 2) == "f, line 1: x; f, line 2: x; and 3 more"
    assert did_you_mean("zzz", ["b", "a"]) == "write one of a, b"
    assert did_you_mean("zzz", []) == "remove it"


CALLS = "[calls]\n[[contest]]"
BASELINE = "station,contest,option,votes\nn1,president,wren,12\nn1,president,owl-a,0\nn2,president,wren,3\nn2,president,owl-a,9\n"


@pytest.fixture
def with_calls(folder: Path) -> Path:
    (folder / "election.toml").write_text(ELECTION.replace("[[contest]]", CALLS, 1))
    return folder


def test_a_folder_may_have_a_baseline(with_calls: Path) -> None:
    assert read_folder(with_calls, RULES).baseline == ()
    (with_calls / "baseline.csv").write_text(BASELINE)
    assert check_folder(with_calls, RULES) == []
    (votes,) = read_folder(with_calls, RULES).baseline
    assert votes is not None
    assert votes.tolist() == [[12, 0], [3, 9]]


def test_a_baseline_needs_calls(folder: Path) -> None:
    (folder / "baseline.csv").write_text(BASELINE)
    assert [str(finding) for finding in check_folder(folder, RULES)] == [
        "baseline.csv: a baseline serves calls alone; add a section [calls] to election.toml, or leave the baseline out"
    ]


def test_faults_of_a_baseline_are_named_with_those_of_the_other_files(with_calls: Path) -> None:
    (with_calls / "baseline.csv").write_text(BASELINE.replace("n2,president,owl-a,9", "n2,president,owl-a,nine"))
    (with_calls / "register.csv").write_text(REGISTER.replace("north", "nord"))
    findings = check_folder(with_calls, RULES)
    assert [(f.file, f.line, f.field) for f in findings] == [("register.csv", 2, "unit"), ("baseline.csv", 5, "votes")]
    with pytest.raises(DefinitionError, match=r"baseline\.csv, line 5, votes: 'nine' is not a whole number"):
        read_folder(with_calls, RULES)


def test_a_baseline_waits_for_units_that_exist(with_calls: Path) -> None:
    text = (with_calls / "election.toml").read_text().replace('unit = "north"', 'unit = "nord"')
    (with_calls / "election.toml").write_text(text)
    (with_calls / "baseline.csv").write_text(BASELINE)
    assert [(f.file, f.field) for f in check_folder(with_calls, RULES)] == [("election.toml", "contest[1].unit")]


def test_a_baseline_is_a_plain_file_of_bounded_size(with_calls: Path) -> None:
    (with_calls / "baseline.csv").mkdir()
    assert [str(f) for f in check_folder(with_calls)] == ["baseline.csv: not a regular file; put the file itself there"]
    (with_calls / "baseline.csv").rmdir()
    (with_calls / "baseline.csv").write_text(BASELINE)
    with (with_calls / "baseline.csv").open("r+b") as file:
        file.truncate(513 * 1024 * 1024)
    assert [str(f) for f in check_folder(with_calls)] == ["baseline.csv: larger than 512 MB, which is the most; shorten it"]
