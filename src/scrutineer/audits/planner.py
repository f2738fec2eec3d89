"""What an audit would cost, by design: boxes opened, cards handled, places visited, before anything is promised.

Every design that the records allow gets a row. Sizes are simulated from the reported results and expected rates of error with the
risk function that `planner_risk` suggests; a row says how much is enough in half of all cases and in nine of ten, whether that is
a full count, and what it takes when the first thing that is drawn is as wrong as it can be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scrutineer.audits.forecasts import NO_ERRORS, Rates
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan import DESIGNS
from scrutineer.audits.planner_designs import Job, batch_betting, batch_macro, comparison, oneaudit, polling, two_stage
from scrutineer.audits.planner_model import Design, Records, Row, Target
from scrutineer.audits.planner_work import USUAL_COSTS, Costs, Site, Work
from scrutineer.errors import AuditError

__all__ = ["Costs", "Design", "Records", "Row", "Target", "Work", "rows_notes", "rows_table", "trade_off"]


def trade_off(
    targets: Sequence[Target],
    manifest: Manifest,
    records: Records,
    *,
    risk_limit: Fraction,
    places: Sequence[str] | None = None,
    recorded: NDArray[np.bool_] | None = None,
    rates: Rates = NO_ERRORS,
    costs: Costs = USUAL_COSTS,
    repetitions: int = 100,
    seed: int = 0,
) -> tuple[Row, ...]:
    """Feasible designs, the cheapest (by the 9-of-10 cost) first; a full count is always among them.

    `places`: by box where it is kept. `recorded`: by box whether its cards have records, where some have and `records` is
    BATCHES; ONEAudit then takes the others as pools. Raises AuditError without targets or where boxes do not fit.
    """
    if not targets:
        raise AuditError("there is no assertion to be audited: choose at least one contest")
    for target in targets:
        boxes = len(manifest.boxes)
        if any(
            len(given) != boxes
            for given in (target.cards, None if target.boxes is None else target.boxes.counts)
            if given is not None
        ):
            raise AuditError(f"{target.what}: numbers by box are not those of the {boxes} boxes of the manifest")
    if recorded is not None and recorded.shape != manifest.cards.shape:
        raise AuditError(
            f"{len(manifest.boxes)} boxes need as many answers to whether their cards have records, not {len(recorded)}"
        )
    site = Site.of(manifest.cards, places, costs)
    job = Job(targets, manifest, site, risk_limit, rates, repetitions, seed, recorded)
    everything = site.everything()
    full = Row(Design.FULL_COUNT, "", everything, everything, None, True, None, "every card is counted")
    rows = [full]
    hopeless = next((target for target in targets if target.spare < -target.assertion.lowest), None)
    for design, plan in _feasible(targets, records):
        if hopeless is not None:
            why = (
                f"{hopeless.what}: the margin is so small that one card could change it"
                if hopeless.spare >= 0
                else (f"{hopeless.what}: the reported scores do not make it true")
            )
            rows.append(replace(full, design=design, why=why))
            continue
        try:
            row = plan(job)
        except AuditError as error:
            row = replace(full, why=str(error))
        if row.full_count:
            row = replace(full, risk=row.risk, why=row.why)
        rows.append(replace(row, design=design))
    order = list(Design)
    return tuple(sorted(rows, key=lambda row: (row.p90.cost, row.full_count, order.index(row.design))))


def rows_table(rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    """The rows as texts for a table of at most 80 columns, a line of headings first.

    Pairs are half of all cases / nine of ten; from 10,000 on numbers are rounded to three digits. Places have a column where some
    place holds several boxes. A design with a star cannot be planned with `make_plan`.
    """
    by_place = any(work.places != work.boxes for row in rows for work in (row.p50, row.p90))
    lines: list[tuple[str, ...]] = [("design", "boxes", "cards", *(("places",) if by_place else ()), "work", "one bad draw")]
    for row in rows:
        pairs = [(row.p50.boxes, row.p90.boxes), (row.p50.cards, row.p90.cards)]
        pairs += [(row.p50.places, row.p90.places)] if by_place else []
        pairs.append((round(row.p50.cost), round(row.p90.cost)))
        bad = "full count" if row.one_bad is None else f"{_short(row.one_bad.boxes)} / {_short(row.one_bad.cards)}"
        if row.design is Design.POLLING and not row.full_count:
            bad = "no matter"
        shown = [(_short(half), _short(most)) for half, most in pairs]
        name = f"{row.design} *" if _not_planned(row) else str(row.design)
        lines.append((name, *(f"{half} / {most}" if half != most else half for half, most in shown), bad))
    return tuple(lines)


def rows_notes(rows: Sequence[Row], costs: Costs = USUAL_COSTS) -> tuple[str, ...]:
    """What the table of `rows_table` does not say: the unit of work, what one bad draw is, what decides, and what a star says."""
    visit = f", to get to a place {costs.place:g}" if costs.place else ""
    unit = (
        f"Work: to find a card and enter what it shows is {costs.card:g}, to open a box and seal it again {costs.box:g}{visit}, "
        f"and {costs.counted_card:g} a card where a whole box is counted."
    )
    notes = [unit, "One bad draw: boxes / cards in nine of ten cases, if the first that is drawn is as wrong as it can be."]
    notes += [f"{row.design}: {row.per_box} cards of each box that is drawn." for row in rows if row.per_box is not None]
    whys = dict.fromkeys(row.why for row in rows if row.design is not Design.FULL_COUNT)
    for why in whys:
        names = ", ".join(str(row.design) for row in rows if row.why == why and row.design is not Design.FULL_COUNT)
        notes.append(f"What decides: {why}." if len(whys) == 1 else f"What decides ({names}): {why}.")
    if starred := [str(row.design) for row in rows if _not_planned(row)]:
        notes.append(f"* `audit plan --design` does not have {' and '.join(starred)}; the others are {', '.join(DESIGNS)}.")
    return tuple(notes)


def _not_planned(row: Row) -> bool:
    return row.design is not Design.FULL_COUNT and str(row.design) not in DESIGNS


def _short(number: int) -> str:
    """A number in at most five signs: 9,999, 34.1k, 165k, 1.20M."""
    if number < 10_000:
        return f"{number:,}"
    for unit, sign in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        for digits, most in ((2, 9.995), (1, 99.95), (0, 999.5)):
            if number / unit < most:
                return f"{number / unit:.{digits}f}{sign}"
    return f"{number:.1e}"


def _feasible(targets: Sequence[Target], records: Records) -> Iterator[tuple[Design, Callable[[Job], Row]]]:
    if records is Records.CARDS:
        yield Design.COMPARISON, comparison
    if records is not Records.TOTALS and all(target.boxes is not None for target in targets):
        yield Design.ONEAUDIT, oneaudit
        yield Design.BATCH_MACRO, batch_macro
        yield Design.BATCH_BETTING, batch_betting
        yield Design.TWO_STAGE, two_stage
    yield Design.POLLING, polling
