"""A replay of an invented audit in Colorado's manner: it agrees, and whatever is changed in its files is named."""

from decimal import Decimal

import pytest

from arlo_reports import table
from scrutineer.audits.replay.checks import Replay, Verdict
from scrutineer.audits.replay.colorado import colorado_draw, colorado_places, colorado_size, replay_colorado
from scrutineer.audits.replay.colorado_files import AuditedContest, CountyBatch, read_files
from scrutineer.errors import AuditError

SEED = "31415926535897932384"
COLUMNS = (
    "contest_name,audit_reason,random_audit_status,winners_allowed,ballot_card_count,min_margin,risk_limit,audited_sample_count,"
    "two_vote_over_count,one_vote_over_count,one_vote_under_count,two_vote_under_count,gamma,optimistic_samples_to_audit,"
    "estimated_samples_to_audit"
)
MANIFESTS = {"Heath": [("1", "1", 40), ("1", "2", 60)], "Moor": [("7", "A", 100)]}
CONTESTS = {"Mayor of Heath": (("Heath",), 20), "Governor": (("Heath", "Moor"), 60)}


def drawn(contest: str, count: int) -> list[tuple[str, str]]:
    counties = CONTESTS[contest][0]
    batches = [(county, [CountyBatch(*row) for row in MANIFESTS[county]]) for county in counties]
    return list(colorado_draw(SEED, batches, count))


def published() -> dict[str, bytes]:
    rows, selections, compared = [], [], []
    for name, (counties, margin) in CONTESTS.items():
        cards = sum(row[2] for county in counties for row in MANIFESTS[county])
        one = AuditedContest(
            *(name, "county_wide_contest", "", cards, margin, Decimal("0.05"), 0, 0, 0, 0, 0, Decimal("1.03905"), 0, 0)
        )
        needed = colorado_size(one)
        row = [name, "county_wide_contest", "risk_limit_achieved", 1, cards, margin, "0.05", needed]
        rows.append([*row, 0, 0, 0, 0, "1.03905000", needed, needed])
        units = drawn(name, needed)
        selections.append((0, name, "[" + ",".join(str(_record(unit)) for unit in units) + "]"))
        compared += [(county, name, card, _record((county, card))) for county, card in units]
    rows.append(["Coroner", "opportunistic_benefits", "in_progress", 1, 200, 0, "0.05", 0, 0, 0, 0, 0, "1.03905000", 0, 0])
    held = [(1 + (county == "Moor"), county, name, 5) for name, (counties, _) in CONTESTS.items() for county in counties]
    files = {
        "seed.csv": b"seed\n" + SEED.encode() + b"\n",
        "round1/contest.csv": table(COLUMNS, rows),
        "round1/contestSelection.csv": table("min_margin,contest_name,contest_cvr_ids", selections),
        "round1/contestComparison.csv": table("county_name,contest_name,imprinted_id,cvr_id", compared),
        "contestsByCounty.csv": table("county_id,county_name,contest_name,contest_id", held),
        "tabulate.csv": b"contest_name,choice,votes\nMayor of Heath,Heron,1\n",
    }
    for county, batches in MANIFESTS.items():
        rows = [(county, *row, "shelf") for row in batches] + [["", "", "", sum(row[2] for row in batches), ""]]
        files[f"{county}BallotManifest.csv"] = table("County,Tabulator,Batch,# of Ballots,Location", rows)
    return files


def _record(unit: tuple[str, str]) -> int:
    return 1000 + sum(ord(letter) * 131**place for place, letter in enumerate("/".join(unit))) % 10**9


FILES = published()


def replayed(files: dict[str, bytes], seed: str = "") -> Replay:
    return replay_colorado(read_files(list(files.items()), seed))


def test_it_agrees():
    replay = replayed(FILES)
    assert replay.agrees
    assert not replay.of(Verdict.NOT_COMPUTED)
    assert {check.subject for check in replay.checks} == {
        *("sample sizes in round1/contest.csv", "risk limits met in round1/contest.csv", "cards to draw from"),
        *("cards drawn more than once", "drawn cards", "examined cards"),
    }
    assert "tabulate.csv" in replay.notes[0]


def test_a_longer_draw_begins_with_a_shorter():
    assert colorado_places(SEED, 200, 9, skip=3) == colorado_places(SEED, 200, 12)[3:]
    assert all(1 <= place <= 7 for place in colorado_places(SEED, 7, 100))
    with pytest.raises(AuditError, match="from 0 cards"):
        colorado_draw(SEED, [], 1)


UNIT = drawn("Governor", 1)[0][1]


@pytest.mark.parametrize(
    ("name", "old", "new", "subjects"),
    [
        ("seed.csv", SEED, SEED[:-1] + "5", {"cards drawn more than once", "drawn cards", "examined cards"}),
        (
            "HeathBallotManifest.csv",
            "1,1,40",
            "1,1,41",
            {"cards to draw from", "cards drawn more than once", "drawn cards", "examined cards"},
        ),
        ("round1/contestComparison.csv", f"Governor,{UNIT},", "Governor,9-9-9,", {"drawn cards", "examined cards"}),
        ("round1/contest.csv", "100,20,", "100,21,", {"sample sizes in round1/contest.csv"}),
        (
            "round1/contest.csv",
            "200,60,",
            "200,50,",
            {"sample sizes in round1/contest.csv", "risk limits met in round1/contest.csv"},
        ),
    ],
)
def test_whatever_is_changed_is_named(name: str, old: str, new: str, subjects: set[str]):
    assert old.encode() in FILES[name]
    replay = replayed({**FILES, name: FILES[name].replace(old.encode(), new.encode(), 1)})
    assert {check.subject for check in replay.of(Verdict.DIFFERS)} <= subjects
    assert replay.of(Verdict.DIFFERS)
    assert not replay.agrees


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("seed.csv", "no file has the seed"),
        ("MoorBallotManifest.csv", "the manifests of 1 counties are missing: Moor"),
        ("round1/contestComparison.csv", "its cards are named by numbers alone"),
        ("round1/contestSelection.csv", "no file says which cards were selected"),
    ],
)
def test_what_is_missing_is_named(missing: str, reason: str):
    replay = replayed({name: data for name, data in FILES.items() if name != missing})
    assert any(check.reason.startswith(reason) for check in replay.of(Verdict.NOT_COMPUTED))
    assert not replay.of(Verdict.DIFFERS)


def test_a_contest_that_no_file_places_is_in_the_county_of_its_size():
    given = {name: data for name, data in FILES.items() if name not in ("contestsByCounty.csv", "round1/contestComparison.csv")}
    larger = FILES["MoorBallotManifest.csv"].replace(b"7,A,100", b"7,A,150")
    replay = replayed({**given, "MoorBallotManifest.csv": larger})
    sizes = {check.contest: check for check in replay.checks if check.subject in ("cards drawn more than once", "drawn cards")}
    assert sizes["Mayor of Heath"].reason.startswith("its cards are named by numbers alone")
    assert sizes["Governor"].reason.startswith("no file says in which counties")
    assert not any(check.subject == "cards to draw from" for check in replay.checks), "which would only say what was assumed"


def test_a_seed_in_a_report_of_the_state():
    given = {name: data for name, data in FILES.items() if name != "seed.csv"}
    replay = replayed({**given, "rla_report_state.csv": f'discrepancies,county\n"Seed: {SEED}",alpha: 0.05\n'.encode()})
    assert replay.seed == SEED
    assert replay.agrees


def test_files_that_cannot_be_used():
    with pytest.raises(AuditError, match="no file lists the contests"):
        replayed({"seed.csv": FILES["seed.csv"]})
    with pytest.raises(AuditError, match="'12a' is no seed"):
        replayed({**FILES, "seed.csv": b"seed\n12a\n"})
    with pytest.raises(AuditError, match="the files name 2 seeds"):
        replayed({**FILES, "other.csv": b"seed\n12345\n"})
    with pytest.raises(AuditError, match="the manifest of Heath stands in"):
        replayed({**FILES, "more/HeathManifest.csv": FILES["HeathBallotManifest.csv"]})
    with pytest.raises(AuditError, match="'ten' is no number of ballots"):
        replayed({**FILES, "HeathBallotManifest.csv": FILES["HeathBallotManifest.csv"].replace(b"1,1,40", b"1,1,ten")})
    with pytest.raises(AuditError, match="is no list of records"):
        replayed({**FILES, "s.csv": b"contest_name,contest_cvr_ids\nGovernor,none\n"})
    notes = replayed({**FILES, "latin.csv": b"contest_name,\x81\n"}).notes
    assert "latin.csv: byte 13 is not UTF-8" in notes[0]
