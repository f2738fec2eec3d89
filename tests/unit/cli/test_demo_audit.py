"""The audit of the demo: from its plan to a site on which everybody computes it again."""

from collections.abc import Sequence
from pathlib import Path

from cli_helpers import call
from scrutineer.cli.demo_audit import hold_audit
from scrutineer.cli.office import open_folder
from scrutineer.log import MerkleTree, leaf_hash
from scrutineer.simulate import sign_arrivals, simulate_republic
from scrutineer.statements import sign_statement


def test_an_audit_of_the_republic_is_held_and_computed_again(tmp_path: Path) -> None:
    simulation = simulate_republic(100, 7, voters=30_000)
    office = open_folder(tmp_path / "election", simulation.draft(), officers=3)
    key, tree = office.officer_key(), MerkleTree()

    def send(statements: Sequence[bytes]) -> int:
        log = office.open_log()
        try:
            log.append(list(statements))
            size = log.size
        finally:
            log.close()
        tree.extend([leaf_hash(entry) for entry in statements])
        return size

    tree.extend([leaf_hash(office.definition)])
    send(list(sign_arrivals(simulation.sheets(office.election.hash), office.key_of)))
    count = office.read_count(None, lambda *_: None)
    held = hold_audit(
        simulation,
        count,
        tree.root(),
        lambda payload: sign_statement(payload, "authority/officer-1", key),
        send,
        tmp_path / "audits",
    )
    assert held is not None
    assert held.report.outcome == "confirmed"
    assert float(held.report.contests[0].risk) <= 0.05
    assert 0 < held.boxes < 100
    call("publish", tmp_path / "election", "--to", tmp_path / "site", "--audits", tmp_path / "audits", "--languages", "en")
    assert "Audits: 1 computed again, from plan to report." in call("verify", tmp_path / "site").out
    page = (tmp_path / "site" / "audits.html").read_text()
    assert "Boxes against sheets" in page
    assert "Confirmed at the risk limit" in page
