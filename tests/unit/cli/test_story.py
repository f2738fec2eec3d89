"""An election from the first command to the last, each as a process of its own, over real HTTP."""

import json
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from cli_helpers import FIGURES, HEADER, Service, call, checked, command, opened, rows, run, run_afresh, serving, signed

STANDING_KEYS = [
    "contest",
    "rule",
    "unit",
    "name",
    "kind",
    "stations",
    "counted",
    "quarantined",
    "excluded",
    "outstanding",
    "roll",
    "ballots",
    "blank",
    "null",
    "votes",
    "candidates",
    "elected",
    "seats",
    "runoff",
    "tied",
    "margin",
    "open_ballots",
    "changeable",
    "bound_exact",
    "bound_slack",
    "binding",
]


def test_a_whole_election(tmp_path: Path) -> None:
    folder, site, table, bundle = (tmp_path / name for name in ("birds", "site", "sheets.csv", "sheets.bundle"))
    assert "check" in run("new", folder).out
    assert "6 stations" in run("check", folder).out
    assert run("check", folder, "--json").json == []
    definition = run("open", folder, "--json").json
    assert list(definition) == ["definition", "stations", "origin", "log_keys"]
    hash_ = definition["definition"]

    # Five sheets are in order, one does not add up.
    table.write_text(HEADER + rows()[: rows().rindex("south-3")] + rows(("south-3",), cast=77))
    assert "6 tally sheets" in run("sign", folder, table, "--to", bundle).out
    run("publish", folder, "--to", site)
    with serving(folder, "--site", site, "--site-port", 0) as service:
        definition_file = folder / "record/definition.cose"
        sent = run("submit", bundle, "--to", service.address, "--definition", definition_file, "--json").json
        assert sent == {"registered": 6, "refused": []}
        again = run("submit", bundle, "--to", service.address, "--definition", definition_file)
        assert "6 statements are in the log" in again.out

        counted = run("count", folder, "--json").json
        assert list(counted) == ["election", "provenance", "size", "root", "contests"]
        assert counted["election"] == hash_
        assert counted["size"] == 7
        (contest,) = counted["contests"]
        assert [key for key in contest if key in STANDING_KEYS] == STANDING_KEYS
        assert (contest["counted"], contest["quarantined"], contest["outstanding"]) == (5, 1, 0)
        assert contest["votes"] == {"heron": 500, "kingfisher": 250, "owl-forest": 150, "owl-meadow": 100}
        assert contest["candidates"] == {"heron": 500, "kingfisher": 250, "owl": 250}
        assert contest["changeable"] is True
        (held,) = contest["quarantine"]
        assert held["station"] == "south-3"

        earlier = run("count", folder, "--at", 3, "--json").json
        assert (earlier["size"], earlier["contests"][0]["counted"]) == (3, 2)
        units = run("count", folder, "--unit", "north", "--contest", "president", "--json").json
        assert [unit["unit"] for unit in units["contests"]["president"]] == ["north", "north-1", "north-2", "north-3"]
        assert [unit["votes"]["heron"] for unit in units["contests"]["president"]] == [300, 100, 100, 100]

        # While the service writes the log, nobody else may; through the service everybody may.
        assert "--to URL" in run("bulletin", folder, code=1).err
        bulletin = run("bulletin", folder, "--to", service.address, "--json").json
        assert list(bulletin) == ["entry", "size", "root", "contests"]
        assert (bulletin["entry"], bulletin["size"]) == (7, 7)
        assert "quarantined" in run("certify", folder, "--to", service.address, code=2).err
        decided = run(
            *("decide", folder, "south-3", "president", "--accept", held["entry"], "--reason", "A slip of the pen"),
            *("--to", service.address),
        )
        assert "entry 8" in decided.out
        # The service serves the site that was published before; publishing again beside it is the normal thing.
        published = run("publish", folder, "--to", site, "--json").json
        assert list(published) == ["size", "files", "written", "bytes", "witnesses"]
        assert published["size"] == 9
        over_http = run("verify", service.site, "--definition", hash_, "--json").json
        assert over_http["passed"] is True
        assert over_http["size"] == 9

    assert run("certify", folder, "--json").json["contests"][0]["counted"] == 6
    run("bulletin", folder, "--layer", "official")
    run("publish", folder, "--to", site)
    report = run("verify", site, "--definition", hash_, "--json").json
    assert (report["passed"], report["definition_expected"], report["findings"]) == (True, True, [])
    assert (report["sheets"], report["bulletins"], report["certificates"], report["size"]) == (6, 2, 1, 11)
    assert "PASS" in run("verify", site).out

    page = site / "index.html"
    page.write_text(page.read_text().replace("600", "601", 1))
    failed = run("verify", site, "--definition", hash_, code=1)
    assert "index.html: was changed after publication" in failed.out
    assert "FAIL" in failed.out
    assert run("verify", site, "--json", code=1).json["passed"] is False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(tmp_path_factory.mktemp("election") / "birds")


@pytest.fixture
def office(folder: Path, tmp_path: Path) -> Path:
    """A folder of its own, opened."""
    return Path(shutil.copytree(folder, tmp_path / "birds"))


def test_submit_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    out = tmp_path / "republic"
    made = run("simulate", "--stations", 3000, "--seed", 5, "--out", out, "--json").json
    assert list(made) == ["definition", "stations", "statements"]
    bundle, journal = out / "statements.bundle", out / "statements.bundle.receipts"
    with serving(out / "election") as service:
        sending = subprocess.Popen(
            command(["submit", bundle, "--to", service.address, "--connections", 2]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        until = time.monotonic() + 60
        while not (journal.exists() and journal.stat().st_size > 20_000) and time.monotonic() < until and sending.poll() is None:
            time.sleep(0.005)
        was_running = sending.poll() is None
        sending.kill()
        sending.communicate()
        assert was_running
        done = run("submit", bundle, "--to", service.address, "--json").json
        assert (done["registered"], done["refused"]) == (made["statements"], [])
        assert done["definition"]["file"] == str(out / "election/record/definition.cose")
        journal.unlink()
        assert run("submit", bundle, "--to", service.address, "--json").json == done

    counted = call("count", out / "election", "--json").json
    # The definition, and perhaps the operator's word on what was sent twice.
    assert counted["size"] in (made["statements"] + 1, made["statements"] + 2)
    truth = json.loads((out / "truth.json").read_text())
    for stated, found in zip(truth["counted"], counted["contests"], strict=True):
        assert list(found["votes"].values()) == stated["votes"]
        for name in ("contest", "blank", "null", "ballots", "margin", "elected", "runoff"):
            assert found[name] == stated[name], name
        assert found["counted"] == stated["stations"]


def test_a_service_that_is_killed_loses_nothing_it_acknowledged(office: Path) -> None:
    bundle = signed(office, rows())
    definition = office / "record/definition.cose"
    service = Service(office)
    try:
        assert call("submit", bundle, "--to", service.address, "--definition", definition, "--json").json["registered"] == 6
    finally:
        service.kill()
    assert call("count", office, "--json").json["contests"][0]["counted"] == 6
    with serving(office) as again:
        bundle.with_name("sheets.bundle.receipts").unlink()
        assert call("submit", bundle, "--to", again.address, "--definition", definition, "--json").json["registered"] == 6
    # The definition, six sheets, and the operator's word on six that were sent again.
    assert call("count", office, "--json").json["size"] == 8


def test_statements_of_others_are_refused_one_by_one(office: Path, tmp_path: Path) -> None:
    other = opened(tmp_path / "other")
    foreign, own = signed(other, rows(("north-1",)), "foreign"), signed(office, rows(("north-2",)), "own")
    both = tmp_path / "both.bundle"
    both.write_bytes(foreign.read_bytes() + own.read_bytes())
    with serving(office) as service:
        arguments = ("submit", both, "--to", service.address, "--definition", office / "record/definition.cose")
        result = call(*arguments, "--json", code=1)
        assert result.json["registered"] == 1
        (refusal,) = result.json["refused"]
        assert list(refusal) == ["statement", "code", "detail"]
        assert (refusal["statement"], refusal["code"]) == (0, "unknown-key")
        assert "1 statements were refused" in call(*arguments, code=1).out
        # Receipts of a log that is not this election's prove nothing.
        wrong = call("submit", own, "--to", service.address, "--definition", other / "record/definition.cose", code=1)
        assert "do not rely on it" in wrong.err


def test_open_writes_keys_that_only_their_owner_reads(office: Path) -> None:
    keys = sorted(path.name for path in (office / "keys").iterdir())
    assert keys == ["log-ed25519.pem", "log-ml-dsa-44.pem", "officer-1.pem", "operator.pem", "stations.pem"]
    assert {path.stat().st_mode & 0o777 for path in (office / "keys").iterdir()} == {0o600}
    assert (office / "keys").stat().st_mode & 0o777 == 0o700


def test_the_log_is_a_sqlite_file_with_every_byte_that_was_sent(office: Path) -> None:
    definition = (office / "record/definition.cose").read_bytes()
    with sqlite3.connect(office / "record/log.db") as store:
        assert store.execute("SELECT body FROM entry WHERE idx = 0").fetchone() == (definition,)


def test_output_that_nobody_reads_to_its_end_is_never_success_and_says_nothing(office: Path) -> None:
    process = subprocess.Popen(command(["count", office, "--json"]), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (1, b"")


def test_a_terminal_that_cannot_show_a_name_shows_something_else(office: Path) -> None:
    result = run_afresh("count", office, env={"PYTHONIOENCODING": "ascii"})
    assert "President of the Aviary" in result.out


def test_names_are_never_taken_for_markup(tmp_path: Path) -> None:
    folder = tmp_path / "birds"
    call("new", folder)
    text = (folder / "election.toml").read_text()
    text = text.replace("Grey Heron", "Heron [/b] :heart:").replace(
        '"Election of the President', '"[/red] Election of the President'
    )
    (folder / "election.toml").write_text(text)
    call("open", folder)
    shown = checked(call("count", folder), 0).out
    assert "Heron [/b] :heart:" in shown
    assert "[/red] Election of the President" in shown


def test_the_sum_of_the_figures_is_what_the_helpers_say() -> None:
    assert sum(FIGURES) == 205
