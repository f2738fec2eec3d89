"""`audit replay`: published files of any layout in, and what agrees, differs or is missing out."""

import io
import zipfile
from pathlib import Path

import pytest

from arlo_reports import batch_report, table
from cli_helpers import call
from scrutineer.audits.replay.arlo_risks import printed
from scrutineer.audits.replay.plain import Contest, draw, risk

SEED = "14142135623730950488"
BATCHES = {(county, f"Box {number}"): (100, {"Heron": 60, "Wren": 30}) for county in ("Alder", "Finch") for number in range(1, 9)}
TOTALS = {"Heron": 960, "Wren": 480}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A report, and a bundle in a bundle as Arlo makes them."""
    (draws,) = rounds = draw(SEED, BATCHES, Contest(TOTALS), [5])
    counted = {each.batch: BATCHES[each.batch][1] for each in draws}
    rows = []
    for key, votes in counted.items():
        tickets = ", ".join(sorted(each.ticket for each in draws if each.batch == key))
        rows.append((*key, {"Mayor": f"Round 1: {tickets}"}, {"Mayor": votes}, {"Mayor": votes}))
    p_value = printed(risk(BATCHES, Contest(TOTALS), rounds, counted))
    found = {name: sum(votes[name] for votes in counted.values()) for name in TOTALS}
    (tmp_path / "report.csv").write_bytes(batch_report(SEED, {"Mayor": (1, TOTALS)}, [(1, "Mayor", 5, p_value, found)], rows))
    files = {}
    for county in ("Alder", "Finch"):
        own = [(key[1], *value) for key, value in BATCHES.items() if key[0] == county]
        files[f"{county}/manifest.csv"] = table("Batch Name,Number of Ballots", [each[:2] for each in own])
        files[f"{county}/totals.csv"] = table("Batch Name,Heron,Wren", [(each[0], *each[2].values()) for each in own])
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr("manifests.zip", inner.getvalue())
        archive.writestr("manifests-sha256-hash.txt", "0123  manifests.zip\n")
    return tmp_path


def test_an_audit_of_arlos(published: Path):
    done = call("audit", "replay", "arlo", published / "report.csv", published / "bundle.zip")
    assert "drawn batches, Mayor, round 1: 5 of 5" in done.out
    assert done.out.splitlines()[-1].endswith("none differs.")
    found = call("audit", "replay", "arlo", published / "report.csv", published / "bundle.zip", "--json", "--all").json
    assert found["agrees"] is True
    assert {check["verdict"] for check in found["checks"]} == {"agrees"}


def test_without_its_files_some_figures_cannot_be_computed(published: Path):
    done = call("audit", "replay", "arlo", published / "report.csv")
    assert "Could not be computed:" in done.out
    assert "P-value, Mayor, round 1: the manifests and candidate totals" in done.out
    assert call("audit", "replay", "arlo", published / "report.csv", "--all", code=1).out == done.out


def test_what_differs_is_named_and_fails(published: Path):
    report = published / "report.csv"
    report.write_bytes(report.read_bytes().replace(SEED.encode(), b"27182818284590452353"))
    done = call("audit", "replay", "arlo", report, published / "bundle.zip", code=1)
    assert "Differs:" in done.out
    assert "and by the seed 0." in done.out
    assert call("audit", "replay", "arlo", report, published / "bundle.zip", "--json", code=1).json["agrees"] is False


def test_files_named_by_a_list(published: Path):
    folder = published / "files"
    with zipfile.ZipFile(published / "bundle.zip") as outer, zipfile.ZipFile(io.BytesIO(outer.read("manifests.zip"))) as inner:
        for number, name in enumerate(("Alder/manifest.csv", "Alder/totals.csv", "Finch/manifest.csv", "Finch/totals.csv")):
            (folder / f"{number:08x}").mkdir(parents=True)
            (folder / f"{number:08x}" / name.split("/")[1]).write_bytes(inner.read(name))
    names = published / "Jurisdictions.txt"
    names.write_text("00000000: Alder\n00000001: Alder\n00000002: Finch\n00000003: Finch\n")
    done = call("audit", "replay", "arlo", published / "report.csv", folder, "--names", names)
    assert "drawn batches, Mayor, round 1: 5 of 5" in done.out
    assert call("audit", "replay", "arlo", published / "report.csv", folder, names).out == done.out


def test_files_that_cannot_be_used(published: Path):
    odd = published / "odd.csv"
    odd.write_text("Precinct,Votes\n1,2\n")
    assert "odd.csv: neither a manifest" in call("audit", "replay", "arlo", published / "report.csv", odd, code=1).err
    assert "no section begins here" in call("audit", "replay", "arlo", odd, code=1).err
    folder = published / "mixed"
    folder.mkdir()
    odd.rename(folder / "odd.csv")
    done = call("audit", "replay", "arlo", published / "report.csv", folder, published / "bundle.zip")
    assert "Not read: mixed/odd.csv: neither a manifest" in done.out
    assert "drawn batches, Mayor, round 1: 5 of 5" in done.out
    odd.write_text("Precinct,Votes\n1,2\n")
    (published / "report.xlsx").write_bytes(b"PK")
    assert "is a spreadsheet" in call("audit", "replay", "arlo", published / "report.xlsx", code=2).err
    assert "give the files of the audit centre" in call("audit", "replay", "colorado", code=2).err
    assert "no file lists the contests" in call("audit", "replay", "colorado", odd, code=1).err


def test_an_audit_of_colorados(tmp_path: Path):
    columns = (
        "contest_name,audit_reason,random_audit_status,ballot_card_count,min_margin,risk_limit,audited_sample_count,"
        "two_vote_over_count,one_vote_over_count,one_vote_under_count,two_vote_under_count,gamma,optimistic_samples_to_audit,"
        "estimated_samples_to_audit"
    )
    row = ("Bent County Commissioner-District 1", "county_wide_contest", "risk_limit_achieved", 2221, 537, "0.03", 32)
    (tmp_path / "contest.csv").write_bytes(table(columns, [(*row, 0, 0, 0, 0, "1.03905000", 31, 31)]))
    (tmp_path / "seed.csv").write_text("seed\n53417960661093690826\n")
    (tmp_path / "BentBallotManifest.csv").write_bytes(
        table("County,Tabulator,Batch,# of Ballots,Box", [("Bent", 102, 1, 2221, 1)])
    )
    (tmp_path / "contestsByCounty.csv").write_text("county_name,contest_name\nBent,Bent County Commissioner-District 1\n")
    done = call("audit", "replay", "colorado", tmp_path)
    assert "sample sizes in" in done.out
    assert "cards to draw from, Bent County Commissioner-District 1: 2221" in done.out
    (tmp_path / "seed.csv").unlink()
    assert "give it with --seed" in call("audit", "replay", "colorado", tmp_path).out
    assert call("audit", "replay", "colorado", tmp_path, "--seed", "53417960661093690826", "--json").json["agrees"] is True
