"""Replays an audit of Colorado's: its draws, its sample sizes and its risks.

**The draw** (ColoradoRLA, crypto/PseudoRandomNumberGenerator and controller/BallotSelection). Draw number i, from 1, of a contest
is the card at place 1 + (SHA-256 of the text "seed,i", read as a whole number, modulo N) of all N cards in the manifests of the
contest's counties: these in the order of their numbers, and the batches of each as its manifest lists them. Every contest begins
with draw number 1, so that contests with the same N draw the same cards.

**The risk** (math/Audit): Kaplan-Markov of single ballots with gamma 1.03905, by the numbers of one- and two-vote over- and
understatements, the margin being diluted by N. The published "optimistic" sample size is that of M. Lindeman and P. B. Stark, A
gentle introduction to risk-limiting audits, IEEE Security & Privacy 10 (2012); all with decimal numbers of 34 digits.
"""

import decimal
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from itertools import accumulate
from typing import Final

from scrutineer.audits.cards.sources import Progress, silent
from scrutineer.audits.replay.checks import Check, Replay, compared, figure, impossible
from scrutineer.audits.replay.colorado_files import AuditedContest, ColoradoFiles, CountyBatch
from scrutineer.audits.sampling.consistent import text_bytes
from scrutineer.errors import AuditError

Card = tuple[str, str]
"""County, and scanner, batch and position joined by hyphens."""

_34: Final = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN)
_MET: Final = "risk_limit_achieved"


def colorado_places(seed: str, cards: int, count: int, skip: int = 0) -> tuple[int, ...]:
    """The places, from 1, of the cards of `count` draws after the first `skip`. Raises AuditError for a draw from no card."""
    if cards < 1 or count < 0 or skip < 0:
        raise AuditError(f"{count} draws after {skip} from {cards} cards; give 0 or more, and at least one card")
    return tuple(
        1 + int.from_bytes(sha256(text_bytes(f"{seed},{number}")).digest(), "big") % cards
        for number in range(skip + 1, skip + count + 1)
    )


def colorado_draw(seed: str, manifests: Sequence[tuple[str, Sequence[CountyBatch]]], count: int) -> tuple[Card, ...]:
    """The cards of a contest's first draws, from the manifests of its counties in the order of their numbers."""
    batches = [(county, batch) for county, each in manifests for batch in each]
    ends = list(accumulate(batch.ballots for _, batch in batches))
    drawn = []
    for place in colorado_places(seed, ends[-1] if ends else 0, count):
        at = bisect_left(ends, place)
        county, batch = batches[at]
        drawn.append((county, f"{batch.scanner}-{batch.batch}-{place - ends[at] + batch.ballots}"))
    return tuple(drawn)


def colorado_size(contest: AuditedContest) -> int:
    """The draws that a contest needs by its discrepancies so far, if no other is found."""
    if not contest.margin or not contest.cards:
        return 0
    with decimal.localcontext(_34):
        double = 2 * contest.gamma
        logs = contest.risk_limit.ln() + sum(many * change.ln() for many, change in _changes(contest))
        needed = (-double * logs / (Decimal(contest.margin) / contest.cards)).to_integral_value(decimal.ROUND_CEILING)
    return max(int(needed), contest.two_over + contest.one_over + contest.one_under + contest.two_under)


def colorado_risk(contest: AuditedContest) -> Decimal:
    """The P-value of a contest by the draws audited so far; 1 where there is no margin."""
    if not contest.margin or not contest.cards:
        return Decimal(1)
    with decimal.localcontext(_34):
        factor = 1 - Decimal(contest.margin) / contest.cards / (2 * contest.gamma)
        risk = factor**contest.audited
        for many, change in _changes(contest):
            risk /= change**many
    return min(risk, Decimal(1))


def replay_colorado(files: ColoradoFiles, name: str = "", progress: Progress = silent) -> Replay:
    """All that can be computed again of an audit. Raises AuditError where the files hold no round and no list of contests."""
    if not files.rounds:
        raise AuditError("no file lists the contests of a round (contest.csv of the audit centre); give it with the others")
    checks: list[Check] = []
    for path, contests in files.rounds:
        checks += _sizes(path, contests)
    last = {contest.name: contest for contest in files.rounds[-1][1]}
    targeted = [contest for contest in last.values() if contest.targeted]
    checks += _measured(files, last)
    drawn: dict[str, tuple[Card, ...]] = {}
    selection = files.selections[-1][1] if files.selections else {}
    for done, contest in enumerate(targeted):
        progress("Drawing again", done, len(targeted))
        check, cards = _drawn(files, contest, selection)
        checks += check
        if cards is not None:
            drawn[contest.name] = cards
    if files.examined:
        checks.append(_examined(files, drawn, complete=len(drawn) == len(targeted)))
    notes = [f"{len(files.unread)} files hold nothing that is compared: {', '.join(files.unread[:5])}"] if files.unread else []
    return Replay(name, "ballot comparison (Colorado)", files.seed, tuple(checks), tuple(notes))


def _changes(contest: AuditedContest) -> tuple[tuple[int, Decimal], ...]:
    """Of each kind of discrepancy: how many there are, and what each divides the risk by."""
    half, whole = 1 / (2 * contest.gamma), 1 / contest.gamma
    return (
        (contest.two_under, 1 + whole),
        (contest.one_under, 1 + half),
        (contest.one_over, 1 - half),
        (contest.two_over, 1 - whole),
    )


def _sizes(path: str, contests: Sequence[AuditedContest]) -> Iterator[Check]:
    """The published sample sizes of a round, and where it says that a risk limit was met."""
    differences = [
        f"{contest.name}: {contest.optimistic} draws needed, computed again {needed}"
        for contest in contests
        if (needed := colorado_size(contest)) != contest.optimistic
    ]
    yield compared(f"sample sizes in {path}", "", 0, len(contests), differences)
    met = [contest for contest in contests if contest.targeted and contest.status == _MET]
    wrong = [
        f"{contest.name}: its limit of {contest.risk_limit.normalize()} was met, and its risk is {float(risk):.6f}"
        for contest in met
        if (risk := colorado_risk(contest)) > contest.risk_limit
    ]
    if met:
        yield compared(f"risk limits met in {path}", "", 0, len(met), wrong)


def _measured(files: ColoradoFiles, contests: Mapping[str, AuditedContest]) -> Iterator[Check]:
    """Risks that a report of results prints in per cent, with one digit."""
    figures = {name: text for name, text in files.measured.items() if name in contests and contests[name].targeted}
    if not figures:
        return
    differences = []
    for name, text in figures.items():
        again = (colorado_risk(contests[name]) * 100).quantize(Decimal("0.1"), decimal.ROUND_HALF_UP)
        if text != str(again):
            differences.append(f"{name}: a risk of {text} %, computed again {again} %")
    yield compared("risks", "", 0, len(figures), differences)


def _drawn(
    files: ColoradoFiles, contest: AuditedContest, selection: Mapping[str, tuple[str, ...]]
) -> tuple[list[Check], tuple[Card, ...] | None]:
    """The draws of a contest, and what its published selection says of them."""
    what = "drawn cards"
    said = files.counties.get(contest.name, frozenset())
    held = said or _by_size(files, contest)
    counties = sorted(held, key=lambda county: files.numbers.get(county, 0))
    if not counties:
        return [impossible(what, contest.name, 0, "no file says in which counties it was held (contestsByCounty.csv)")], None
    missing = [county for county in counties if county not in files.manifests]
    if missing:
        reason = f"the manifests of {len(missing)} counties are missing: {', '.join(missing[:5])}"
        return [impossible(what, contest.name, 0, reason)], None
    manifests = [(county, files.manifests[county]) for county in counties]
    cards = sum(batch.ballots for _, each in manifests for batch in each)
    size = figure("cards to draw from", contest.name, 0, str(contest.cards), str(cards), same=cards == contest.cards)
    checks = [size] if said else []
    if not files.seed:
        return [*checks, impossible(what, contest.name, 0, "no file has the seed; give it with --seed")], None
    published = selection.get(contest.name)
    drawn = colorado_draw(files.seed, manifests, contest.audited if published is None else max(len(published), contest.audited))
    if published is None:
        reason = "no file says which cards were selected (contestSelection.csv)"
        return [*checks, impossible(what, contest.name, 0, reason)], drawn
    checks += _selected(files, contest, drawn[: len(published)], published)
    return checks, drawn


def _by_size(files: ColoradoFiles, contest: AuditedContest) -> tuple[str, ...]:
    """The county that has as many cards as a contest that no file places; none where several or no counties have."""
    found = [county for county, each in files.manifests.items() if sum(batch.ballots for batch in each) == contest.cards]
    return tuple(found) if len(found) == 1 else ()


def _selected(files: ColoradoFiles, contest: AuditedContest, drawn: Sequence[Card], published: Sequence[str]) -> Iterator[Check]:
    """The selection names cards by the numbers of their records, which only the comparisons tie to a card.

    Without them it still shows how many cards were drawn once, twice, and so on.
    """
    again, said = Counter(Counter(drawn).values()), Counter(Counter(published).values())
    differences = [
        f"{said[times]} cards drawn {times} times, by the seed {again[times]}"
        for times in sorted({*again, *said})
        if again[times] != said[times]
    ]
    yield compared("cards drawn more than once", contest.name, 0, len(published), differences)
    cards = {each.record: (each.county, each.imprinted) for each in files.examined}
    known = Counter(cards[record] for record in published if record in cards)
    if not known:
        reason = (
            "its cards are named by numbers alone: the comparisons of single cards (contestComparison.csv) say which they are"
        )
        yield impossible("drawn cards", contest.name, 0, reason)
        return
    expected = Counter(drawn)
    wrong = [
        f"card {card[1]} of {card[0]}: selected {times} times, by the seed {expected[card]}"
        for card, times in sorted(known.items())
        if expected[card] != times
    ]
    yield compared("drawn cards", contest.name, 0, sum(known.values()), wrong)


def _examined(files: ColoradoFiles, drawn: Mapping[str, Sequence[Card]], *, complete: bool) -> Check:
    """Every card that a board looked at against all draws together."""
    if not complete:
        return impossible("examined cards", "", 0, "not all draws could be made again")
    every = {card for cards in drawn.values() for card in cards}
    seen = {(each.county, each.imprinted) for each in files.examined if each.imprinted}
    differences = [f"card {card[1]} of {card[0]}: examined, and not drawn by the seed" for card in sorted(seen - every)]
    audited = {contest.name: contest.audited for contest in files.rounds[-1][1]}
    due = {card for name, cards in drawn.items() for card in cards[: audited[name]]}
    differences += [f"card {card[1]} of {card[0]}: drawn by the seed, and not examined" for card in sorted(due - seen)]
    return compared("examined cards", "", 0, len(seen | due), differences)
