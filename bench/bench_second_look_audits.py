"""Audits in the second verifier, which is plain Python: a whole audit of boxes, and records of single cards.

    python bench/bench_second_look_audits.py [BOXES] [DRAWS] [CARDS]

The audit of boxes is that of `bench_audit_verify.py`, of the invented republic (ten options, nine tests): its files, the results
of all stations at its log size, tests that imply the outcome, draw, counts, risks and report. Log and signatures are checked
before, and are not counted. To reach: 5,640 boxes in 2 s. Beside it stands the first verifier, without what it does with the log.

Then a comparison of cards in two contests: records, their sums and places, 300 draws from all cards, and risks. To reach: 10
million cards in 5 min. Beside it stands the first verifier, which has numpy, with the same steps.
"""

import hashlib
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verifier" / "src"))

from second_look import site, statements
from second_look.election import Election
from second_look.merkle import roots_at, statement_hash
from second_look.outcome import OutcomeAudits
from second_look.outcome.counts import card_values, resolve
from second_look.outcome.draw import draw as second_draw
from second_look.outcome.plan import open_plan
from second_look.outcome.risk import risk_of
from second_look.report import Report
from second_look.shapes import load_json

from bench_audit_verify import DICE, _registered
from electorate import MASTER, ORIGIN, log_signer
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.cards.model import Cards, ContestColumn
from scrutineer.audits.check import Artifacts, check_audit
from scrutineer.audits.counts import Seen
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import Plan, PlannedContest, Test, planned_file
from scrutineer.audits.plan_cards import cards_file
from scrutineer.audits.planned.files import open_files
from scrutineer.audits.status import draw, measure
from scrutineer.election import LogIdentity
from scrutineer.simulate import open_republic, simulate_republic

SAMPLE = 300
IN_A_BOX = 500


def main(boxes: int, draws: int, cards: int) -> None:
    """Measure both."""
    log, artifacts = _registered(boxes, draws)
    republic = simulate_republic(boxes, 7, disturbances=())
    opened = open_republic(republic, MASTER.derive, LogIdentity(ORIGIN, log_signer().verifier.vkeys))
    election = Election(
        statements.read(opened.definition), _tables(opened.definition, opened.units_csv, opened.register_csv, opened.shapes)
    )
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "audits/boxes"
        own.mkdir(parents=True)
        for name, data in artifacts.files.items():
            (own / name).write_bytes(data)
        report = Report()
        audited = _Timed(Path(folder), log, lambda *_: None, report)
        sizes = audited.sizes()
        roots = roots_at([statement_hash(entry) for entry in log], sizes)
        count = site.follow(election, log, roots, {}, audited, report)
        audited.finish(count)
    if report.count or not report.audits:
        raise SystemExit(f"the audit does not hold: {report.findings[:1]} {report.taken}")
    started = time.process_time()
    check = check_audit(Artifacts(artifacts.files, artifacts.entries))
    spent = time.process_time() - started
    if not check.passed:
        raise SystemExit(f"the audit does not hold: {check.findings[0]}")
    print(f"{boxes:,} boxes, {draws} draws: {report.checked[-1]}")
    print(f"  second verifier: {audited.spent:.2f} CPU-s (to reach: 2); first, without the log: {spent:.2f} CPU-s")
    print(f"  ratio {audited.spent / spent:.2f}")
    _compare_cards(cards)


class _Timed(OutcomeAudits):
    """The audits of a site, with the CPU seconds that they take."""

    spent = 0.0

    def at(self, *given: object) -> None:
        """See `OutcomeAudits.at`."""
        started = time.process_time()
        super().at(*given)  # type: ignore[arg-type]
        self.spent += time.process_time() - started

    def finish(self, *given: object) -> None:
        """See `OutcomeAudits.finish`."""
        started = time.process_time()
        super().finish(*given)  # type: ignore[arg-type]
        self.spent += time.process_time() - started


def _tables(definition: bytes, units: bytes, register: bytes, shapes: bytes) -> dict[str, bytes]:
    named = statements.read(definition).payload["tables"]
    return {
        name: data
        for name, data in {"units.csv": units, "register.csv": register, "shapes.geojson": shapes}.items()
        if name in named
    }


def _compare_cards(number: int) -> None:
    """Records of so many cards."""
    chance = np.random.default_rng(7)
    names = tuple(f"box-{at:07}" for at in range(-(-number // IN_A_BOX)))
    batch = (np.arange(number) // IN_A_BOX).astype(np.int32)
    patterns = ((), (0,), (1,), (2,))
    columns = tuple(
        ContestColumn(contest, ("heron", "wren", "kite"), patterns, chance.choice(4, number, p=shares).astype(np.int8))
        for contest, shares in (("mayor", (0.05, 0.5, 0.4, 0.05)), ("warden", (0.1, 0.45, 0.4, 0.05)))
    )
    ids = pa.array([f"{at:09}" for at in range(number)])
    cards = Cards(columns, names, batch, (np.arange(number) % IN_A_BOX + 1).astype(np.int32), ids)
    manifest = Manifest(names, np.bincount(batch, minlength=len(names)).astype(np.int64))
    files = {"manifest.csv": manifest.encode(), "cards.bin": cards_file(cards)}
    contests = []
    for column in columns:
        pairs = [Assertion(column.id, f"lead:0:{loser}", (1, *(-(loser == other) for other in (1, 2)))) for loser in (1, 2)]
        totals = [int(column.tally() @ column.scores(pair)) for pair in pairs]
        tests = tuple(Test.of(pair, total, {"rate": "1.5"}) for pair, total in zip(pairs, totals, strict=True))
        contests.append(PlannedContest(contest=column.id, full_count="", tests=tests, target=True))
    plan = Plan(
        format="scrutineer-audit-plan/1",
        name="cards",
        election=bytes(32).hex(),
        size=7,
        root=bytes(32).hex(),
        risk_limit="0.05",
        design="comparison",
        draw="canonical",
        replacement=False,
        risk="betting-fixed",
        first_round=SAMPLE,
        boxes=len(names),
        cards=number,
        contests=tuple(contests),
        files={name: planned_file(data) for name, data in files.items()},
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        del cards, columns, ids
        started = time.process_time()
        value = load_json(plan.encode(), canonical=True)
        planned = open_plan(value, Path(folder))
        opened = time.process_time() - started
        drawn = second_draw(planned, {}, DICE, SAMPLE)
        found, _ = card_values(planned, drawn, resolve(()))
        risks = [risk_of(plan.risk, test.given["parameters"], *found[at]) for at, test in enumerate(planned.tests)]
        second = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    opened_files = open_files(plan, files)
    sample = draw(opened_files, DICE, SAMPLE)
    status = measure(opened_files, sample, Seen({}, {}, (), ()))
    first = time.process_time() - started
    if [(ticket.box, ticket.position) for ticket in drawn] != [(ticket.box, ticket.position) for ticket in sample.tickets]:
        raise SystemExit("both draw other cards")
    if risks != [test.p for test in status.tests]:
        raise SystemExit("both measure other risks")
    size = len(files["cards.bin"])
    digest = hashlib.sha256(files["cards.bin"]).hexdigest()[:8]
    print(f"{number:,} cards in {len(names):,} boxes, two contests, cards.bin of {size / 1e6:.0f} MB ({digest}), {SAMPLE} draws")
    print(
        f"  second verifier: {second:.1f} CPU-s, {opened:.1f} of it for the records; {1e6 * second / number:.2f} s for a million"
    )
    print(f"  first verifier: {first:.1f} CPU-s; ratio {second / first:.1f}; peak of the process so far {peak:,.0f} MB")


if __name__ == "__main__":
    main(*(int(given) for given in (*sys.argv[1:], *("5640", "400", "1000000")[len(sys.argv) - 1 :])))
