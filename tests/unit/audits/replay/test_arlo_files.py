"""Manifests, candidate totals and lists of contests of Arlo's jurisdictions, and whose a file is."""

import pytest

from scrutineer.audits.replay.arlo_files import ArloFiles, Names, kind_of, read_manifests, read_totals, read_universe
from scrutineer.audits.replay.arlo_model import ReportedContest
from scrutineer.errors import AuditError

KNOWN = ("Clay", "Clayton County", "Jeff Davis", "Jefferson", "Ben Hill")
MANIFEST = b"Batch Name,Number of Ballots\nBox 1,10\nBox 2,0\nBox 3,20\n"


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("Clay manifest.csv", "Clay"),
        ("Clayton manifest.csv", "Clayton County"),
        ("bundle.zip/Clayton County/manifest_2024.csv", "Clayton County"),
        ("Jeff Davis/ballot_manifest.csv", "Jeff Davis"),
        ("jefferson-candidate-totals-by-batch.csv", "Jefferson"),
        ("BenHillBallotManifest.csv", "Ben Hill"),
        ("Heath County/manifest.csv", "Heath County"),
        ("Heath ballot manifest.csv", "Heath"),
        ("J1/manifest.csv", "J1"),
    ],
)
def test_whose_a_file_is(path: str, whose: str):
    assert Names(KNOWN).of_path(path) == whose


def test_a_list_says_whose_files_are():
    names = Names.of_list("names.csv", b"File,Jurisdiction\nabc-1,Clay\nfolder/m (2).csv,Heath\n", KNOWN)
    assert names.of_path("zip/abc-1/manifest.csv") == "Clay"
    assert names.of_path("zip/folder/m (2).csv") == "Heath"
    assert Names.of_list("names.txt", b"abc-1: Clay\nabc-2: Heath\n", ()).of_path("abc-2/manifest.csv") == "Heath"
    with pytest.raises(AuditError, match=r"does not say whose file it is"):
        Names().of_path("ballot manifest 3.csv")
    with pytest.raises(AuditError, match="line 2: names no jurisdiction"):
        Names.of_list("names.csv", b"File,Jurisdiction\nabc-1,\n", ())


def test_manifests_and_totals():
    totals = b'Batch Name,Mayor - Heron,Mayor - Wren\nBox 3,7,8\nBox 1,"1,000",2\n'
    names = Names(("Clay",))
    files = ArloFiles(read_manifests([("Clay/m.csv", MANIFEST)], names), read_totals([("Clay/t.csv", totals)], names))
    assert [(batch.key, batch.ballots) for batch in files.manifest] == [(("Clay", "Box 1"), 10), (("Clay", "Box 3"), 20)]
    assert files.jurisdictions == ("Clay",)
    contest = ReportedContest("Mayor", True, 1, 1, 30, ("Wren", "Heron"), (10, 20))
    assert files.totals[0].votes(contest, alone=True) == (("Box 3", (8, 7)), ("Box 1", (2, 1000)))
    assert files.totals[0].votes(ReportedContest("Sheriff", True, 1, 1, 30, ("Owl", "Gull"), (1, 2)), alone=False) is None
    with pytest.raises(AuditError, match="no column for 'Owl'"):
        files.totals[0].votes(ReportedContest("Mayor", True, 1, 1, 30, ("Wren", "Owl"), (10, 20)), alone=False)


def test_one_file_for_all_jurisdictions():
    data = b"County,Tabulator,Batch Name,Number of Ballots,CVR\nClay,T1,Box 1,10,Y\nHeath,T1,Box 1,20,no\n"
    found = read_manifests([("all.csv", data)], Names())
    assert [(batch.jurisdiction, batch.tabulator, batch.has_cvrs) for batch in found] == [
        ("Clay", "T1", True),
        ("Heath", "T1", False),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"Batch Name\nBox 1\n", "no column is called 'Number of Ballots'"),
        (b"Batch Name,Number of Ballots\nBox 1,10\nBox 1,11\n", "line 3: batch 'Box 1' of Clay stands there again"),
        (b"Batch Name,Number of Ballots\nBox 1,ten\n", "line 2: 'ten' is no number of ballots"),
        (b"Batch Name,Number of Ballots\n,10\n", "line 2: a batch without a name"),
        (b"Batch Name,Number of Ballots,CVR\nBox 1,10,perhaps\n", "line 2: 'perhaps' in the column CVR"),
    ],
)
def test_manifests_that_cannot_be_used(data: bytes, message: str):
    with pytest.raises(AuditError, match=message):
        read_manifests([("Clay/m.csv", data)], Names(("Clay",)))


def test_totals_that_cannot_be_used():
    data = b"Batch Name,Heron\nBox 1,1\n"
    with pytest.raises(AuditError, match=r"Clay has totals in Clay/t.csv as well"):
        read_totals([("Clay/t.csv", data), ("Clay/u.csv", data)], Names(("Clay",)))
    with pytest.raises(AuditError, match="'Box 1' stands there again"):
        read_totals([("Clay/t.csv", data + b"Box 1,1\n")], Names(("Clay",)))


def test_the_contests_of_jurisdictions():
    data = b'Contest Name,Jurisdictions\nMayor,all\nSheriff,"Clay, Heath"\n'
    assert read_universe("c.csv", data, ("Clay", "Dale")) == {"Mayor": ("Clay", "Dale"), "Sheriff": ("Clay", "Heath")}
    with pytest.raises(AuditError, match="line 2: a contest without a name or jurisdictions"):
        read_universe("c.csv", b"Contest Name,Jurisdictions\nMayor,\n", ())


def test_what_a_file_is():
    assert kind_of("a.csv", MANIFEST) == "manifest"
    assert kind_of("a.csv", b"Batch Name,Heron\n") == "totals"
    assert kind_of("a.csv", b"Contest Name,Jurisdictions\n") == "contests"
    assert kind_of("x/Jurisdictions.txt", b"abc: Clay\n") == "names"
    with pytest.raises(AuditError, match=r"a.csv: neither a manifest"):
        kind_of("a.csv", b"Precinct,Votes\n")
