"""What a checked audit leaves open, or rests on, and is nobody's fault: said beside its result, so that PASS promises no more."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from scrutineer.audits.check_results import Basis, card_basis, not_shown_now, uncounted_short
from scrutineer.audits.counts import Seen
from scrutineer.audits.plan import Plan
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.count import Count, unit_result

USUAL_LIMIT: Final = Fraction(1, 10)

_BASIS: Final[Mapping[Basis, str]] = {
    Basis.ROLL: (
        "How many cards lie in a box is bound by the roll of its station (or by its sheet, where that says more): the risk holds "
        "if no box has more. Cards that were taken out of a box, and that its sheet does not admit, nobody misses."
    ),
    Basis.MANIFEST: (
        "How many cards lie in a box is bound by a manifest that the plan names: the risk holds if no box has more. Who made it, "
        "and without the voting system, only the protocol can tell."
    ),
    Basis.SHEETS: (
        "How many cards lie in a box is bound by a manifest that the plan names, and it says of every box what its own sheet "
        "says. Unless somebody else has established it, the risk holds only if no box has more cards than its sheet admits."
    ),
}


def unseen_note(unseen: Sequence[str], outcome: str) -> str:
    """For an audit of which files are not there."""
    said = f"its signed report says {outcome!r}, and nobody" if outcome else "nobody"
    return f"Not all of it could be checked: {', '.join(unseen)} not published; {said} can compute it again without."


def counts_notes(seen: Seen, disclosed: Sequence[str]) -> list[str]:
    """Of counts that others took the place of, and of those that the last report leaves out and names."""
    notes = []
    if seen.replaced:
        notes.append(f"{len(seen.replaced)} count(s) were replaced by later ones; all stand in the log, with the reason.")
    if disclosed:
        notes.append(f"Left out of account, as the last report says: {'; '.join(disclosed)}.")
    return notes


def results_notes(files: PlanFiles, count: Count) -> list[str]:
    """Of what the plan leaves out, and where it has it from how many cards can lie in a box."""
    notes = []
    planned = {contest.contest for contest in files.plan.contests}
    if left_out := [contest.id for contest in count.election.contests if contest.id not in planned]:
        notes.append(f"This audit says nothing of contest {', '.join(left_out)}.")
    if files.plan.limit > USUAL_LIMIT:
        notes.append(
            f"The risk limit is {files.plan.risk_limit}: a wrong outcome may be confirmed with that chance. Most audits are held "
            "with 0.1 or less."
        )
    for contest in files.plan.contests:
        number = count.election.contest_index[contest.contest]
        if excluded := unit_result(count, number, count.contests[number].unit).excluded:
            notes.append(f"Contest {contest.contest}: {excluded} station(s) are excluded by decision and were not audited.")
    notes.append(_BASIS[card_basis(files, count)])
    boxes, fewer = uncounted_short(files, count)
    if boxes:
        notes.append(
            f"In {boxes:,} box(es) of which no sheet counts, the manifest has {fewer:,} cards fewer than rolls and sheets would "
            "allow for. Nothing reported says how many lie there: if there are more, this audit says nothing of them."
        )
    return notes


def latest_notes(plan: Plan, latest: Count) -> list[str]:
    """Of a confirmed outcome that is not the one of the log any more."""
    return [
        f"Contest {contest}: the results that stand now are others than at log size {plan.size}, and their outcome was not "
        "confirmed by this audit."
        for contest in not_shown_now(plan, latest)
    ]
