"""The station of the demo that votes for real: from its ballots to a verified site, and to one voter's ballot."""

from dataclasses import replace
from pathlib import Path

from cli_helpers import call, refused
from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.record import Ballot
from scrutineer.cli.demo_voting import vote_for_real
from scrutineer.cli.office import open_folder
from scrutineer.log import leaf_hash
from scrutineer.simulate import sign_arrivals, simulate_republic


def test_the_ballots_give_the_sheet_of_the_station(tmp_path: Path) -> None:
    simulation = simulate_republic(100, 7, voters=9_000)
    real = vote_for_real(simulation, lambda *_: None)
    ballots = [item.value for item in read_bundle(split_lines([real.voted.bundle])) if isinstance(item.value, Ballot)]
    assert {ballot.status for ballot in ballots} == {"cast", "challenged", "spoiled"}
    assert len(ballots) == real.ballots < 100

    folder, site = tmp_path / "election", tmp_path / "site"
    office = open_folder(folder, replace(simulation.draft(), ballots=real.trustees.record.encode()), officers=3)
    log = office.open_log()
    log.append(list(sign_arrivals(real.arrivals(simulation.sheets(office.election.hash)), office.key_of)))
    log.close()
    real.keep(folder / "ballots")
    (folder / "ballots" / "wrong.jsonl").write_bytes(real.voted.bundle.replace(b'"spoiled"', b'"provisional"', 1))
    published = call("publish", folder, "--to", site, "--languages", "en")
    assert "not published: wrong.jsonl (its SHA-256 is" in published.err
    assert f"the station's sheet names {real.voted.digest.hex()}" in published.err
    name = office.election.hash.hex()
    assert leaf_hash(office.definition).hex() == name
    report = call("verify", site, "--definition", name, "--json").json
    assert report["passed"], report["findings"]
    assert report["ballots"]["ballots"] == report["ballots"]["checked"] == real.ballots
    assert "It was cast" in call("track", real.words, "--from", site, "--definition", name).out
    # Without keys in its definition an election has no ballots to publish.
    bare = tmp_path / "bare"
    open_folder(bare, simulation.draft(), officers=3)
    assert "names no keys of trustees" in refused("publish", bare, "--to", tmp_path / "other", "--ballots", folder / "ballots")
