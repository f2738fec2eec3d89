"""Is a later announcement reachable from an earlier one by adding sheets? What must have been added, and whether it can."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.calls.claims.agreement import best_fit, counted_span, listed_all
from scrutineer.calls.claims.announcement import MAX_TOTAL, Announcement
from scrutineer.calls.claims.findings import Finding
from scrutineer.calls.claims.percent import RULES, Percent, Rule
from scrutineer.calls.claims.reach_words import CORRECTIONS, OTHER_SHARE, OTHERS, change, grows, said_votes, sheets
from scrutineer.calls.claims.rounding import Span, check_total, check_votes, totals_leaving, totals_printing, votes_printing
from scrutineer.calls.claims.totals import ValidTotal, valid_total, votes_of
from scrutineer.errors import CallError
from scrutineer.language import Phrase, Quantity

_TRIALS: Final = 20_000  # percentages held against single totals, above the point where the real-valued condition holds
_SCAN: Final = 200  # totals tried below the largest that an earlier percentage allows


@dataclass(frozen=True, slots=True)
class Added:
    """What was added for one option between two announcements."""

    name: str
    before: Span
    after: Span

    @property
    def votes(self) -> Span:
        """The votes added; one number where both counts are known, and below zero where votes were taken away."""
        return Span(self.after.low - self.before.high, self.after.high - self.before.low)

    @property
    def fits(self) -> bool | None:
        """False where votes were taken away, None where the figures given do not say."""
        return grows(self.votes)


@dataclass(frozen=True, slots=True)
class ShareShift:
    """Whether a share can have moved from an earlier percentage to where a later count has it, with the votes added."""

    name: str
    percent: Percent
    """The earlier percentage."""
    share: Fraction
    """The later share, exactly."""
    needed: int | None
    """The fewest votes added that can move it so far, if every one of them is for the option (or for others, where it fell);
    None where no number does."""
    added: Fraction
    """The votes added if all sheets hold as many votes: later total x (1 - earlier / later share of sheets)."""
    most_added: Fraction
    """The same with the shares of sheets as far apart as their digits allow."""
    largest_shift: Fraction
    """The furthest that `added` votes, rounded, can have moved the share."""

    @property
    def reachable(self) -> bool:
        """Whether the votes added suffice, given as many votes on every sheet."""
        return self.needed is not None and self.needed <= self.most_added


@dataclass(frozen=True, slots=True)
class Reach:
    """A later announcement held against an earlier one."""

    earlier: ValidTotal
    later: ValidTotal
    options: tuple[Added, ...]
    """Options that both list, and `all others` where both lists are complete; at the totals of `earlier` and `later`."""
    per_sheet_before: Fraction | None
    """Valid votes for each per cent of sheets in the earlier announcement."""
    per_sheet_added: Fraction | None
    """The same for what was added; None where it or the shares of sheets are not known as single numbers."""
    smallest_total: int | None
    """The smallest later total that the later percentages allow, given the earlier counts; None where there is none."""
    shifts: tuple[ShareShift, ...]
    findings: tuple[Finding, ...]

    @property
    def total_added(self) -> Span:
        """The valid votes added."""
        return Span(self.later.span.low - self.earlier.span.high, self.later.span.high - self.earlier.span.low)

    @property
    def reachable(self) -> bool:
        """Whether nothing contradicts that sheets were only added."""
        return all(finding.fits is not False for finding in self.findings)

    @property
    def reachable_at_equal_sheets(self) -> bool:
        """Whether that also holds if all sheets hold as many votes."""
        return self.reachable and all(shift.reachable for shift in self.shifts)

    @property
    def ratio(self) -> Fraction | None:
        """Votes for each per cent of sheets: what was added against what was there before."""
        if self.per_sheet_before is None or self.per_sheet_added is None or not self.per_sheet_before:
            return None
        return self.per_sheet_added / self.per_sheet_before

    def share(self, option: Added) -> Fraction | None:
        """The option's share of the votes added; None where one of them is not known as a single number, or nothing was added."""
        if option.votes.count != 1 or self.total_added.count != 1 or self.total_added.low <= 0:
            return None
        return Fraction(option.votes.low, self.total_added.low)


def reach(earlier: Announcement, later: Announcement) -> Reach:
    """Hold a later announcement against an earlier one of the same contest. Raises CallError for two contests."""
    if earlier.contest != later.contest:
        raise CallError(f"announcements of two contests, {earlier.contest!r} and {later.contest!r}: compare those of one contest")
    before, after = valid_total(earlier), valid_total(later)
    options = _added(earlier, later, before.span, after.span)
    shares = counted_span(earlier, earlier.rounding), counted_span(later, later.rounding)
    exact = earlier.counted_share, later.counted_share
    per_before = per_added = None
    if exact[0] and before.span.count == 1:
        per_before = before.span.low / (100 * exact[0])
        if exact[1] is not None and exact[1] > exact[0] and after.span.count == 1:
            per_added = (after.span.low - before.span.low) / (100 * (exact[1] - exact[0]))
    shifts = tuple(_shifts(earlier, later, after.span))
    smallest = _smallest(options, later, before.span)
    safe = valid_total(earlier, safe=True).span, valid_total(later, safe=True).span
    findings = _findings(earlier, later, (before.span, after.span), safe)
    if shares[0] is not None and shares[1] is not None and shares[1][1] < shares[0][0]:
        text = Phrase("the share of sheets counted falls from {before} to {after}", before=sheets(earlier), after=sheets(later))
        findings.append(Finding("added-sheets", False, text, CORRECTIONS))
    findings.extend(_shift_finding(shift) for shift in shifts)
    return Reach(before, after, options, per_before, per_added, smallest, shifts, tuple(findings))


def smallest_total(before: Sequence[int], percents: Sequence[Percent], least: int, rule: Rule, *, complete: bool) -> int | None:
    """The smallest total, at least `least`, at which counts that print as the percentages are none below those before.

    For a complete list the counts must also add up to the total. With l the lower limits of the shares, T - sum max(l T, before)
    is concave in T and its last slope 1 - sum l is not negative unless the percentages exceed 100, so it does not fall: its first
    zero is found by bisection. Whole votes shift the answer upwards a little, so that totals from there on are tried, skipping
    those below what is needed already. None where no total up to 10^10 does, or none among the many tried. Raises CallError for
    lists of different lengths and counts that cannot be.
    """
    if len(before) != len(percents) or not percents:
        raise CallError(f"{len(before)} counts and {len(percents)} percentages: give one percentage for each count")
    if least > MAX_TOTAL:
        return None
    floor = max(1, least)
    for votes, percent in zip(before, percents, strict=True):
        check_votes(votes)
        first = _first_total(votes, percent, rule)
        if first is None:
            return None
        floor = max(floor, first)

    def slack(total: int) -> int:
        lows = (votes_printing(percent, total, rule).low for percent in percents)
        return total - sum(max(low, votes) for low, votes in zip(lows, before, strict=True))

    # Each whole-vote limit is less than one above the real one, so that a slack of -k still may be none in real numbers.
    low, high = floor, MAX_TOTAL
    if slack(high) < -len(percents):
        return None
    while low < high:
        middle = (low + high) // 2
        if slack(middle) >= -len(percents):
            high = middle
        else:
            low = middle + 1

    total = low
    for _ in range(_TRIALS // len(percents)):
        spans = [votes_printing(percent, total, rule) for percent in percents]
        # What is needed never shrinks as the total grows, so that no total below what is needed now can do.
        following = sum(max(span.low, votes) for span, votes in zip(spans, before, strict=True))
        for span, percent in zip(spans, percents, strict=True):
            if not span:
                following = max(following, totals_printing(span.low, percent, rule).low)
        if following > MAX_TOTAL:
            return None
        if following <= total and (not complete or sum(span.high for span in spans) >= total):
            return total
        total = max(following, total + 1)
    return None


def fewest_added(votes: int, total: int, percent: Percent, rule: Rule) -> int | None:
    """The fewest votes that were added to a count that printed as `percent`, to give `votes` of `total`.

    Before n votes came the option had between votes - n and votes of total - n. Where its share rose, the best case is that all n
    are its own: (votes - n) / (total - n) is total minus what others have, which is fixed, so the runs of totals of `rounding`
    answer it; where it fell, that none is: votes / (total - n). None where no n does, as for totals too small to print so.
    Raises CallError for impossible figures.
    """
    check_total(total)
    check_votes(votes)
    if votes > total:
        raise CallError(f"{votes} votes of a total of {total}: the part exceeds the whole")
    now = votes_printing(percent, total, rule)
    if votes in now:
        return 0
    # It rose: others have total - votes, before as now, so the upper limit of the earlier share bounds the total before.
    rose = votes > now.high
    last = min(total, (totals_leaving(total - votes, percent, rule) if rose else totals_printing(votes, percent, rule)).high)
    for old in range(last, max(0, last - _SCAN), -1):
        if votes_printing(percent, old, rule) & Span(max(0, votes - (total - old)), min(votes, old)):
            return total - old
    return None


def largest_shift(votes: int, total: int, added: int, *, rose: bool = True) -> Fraction:
    """How far the last `added` of the total can have moved the share that is now votes / total: upwards, or downwards.

    Raises CallError for impossible figures.
    """
    check_total(total)
    check_votes(votes)
    if not 0 <= added < total or votes > total:
        raise CallError(f"{added} votes added to reach {votes} of {total}: they must be fewer than the total")
    old = total - added
    share = Fraction(votes, total)
    return share - Fraction(max(0, votes - added), old) if rose else Fraction(min(votes, old), old) - share


def _first_total(votes: int, percent: Percent, rule: Rule) -> int | None:
    """The smallest total of which a count of at least `votes` prints as the percentage."""
    if votes == 0:
        return 1
    run = totals_printing(votes, percent, rule)
    # The lower end of the run comes from the percentage's upper limit alone, so it stands where the run itself is empty.
    return run.low if run.low <= MAX_TOTAL else None


def _added(earlier: Announcement, later: Announcement, before: Span, after: Span) -> tuple[Added, ...]:
    first = {figure.name: figure for figure in earlier.named}
    second = {figure.name: figure for figure in later.named}
    common = [name for name in first if name in second]
    rows = [
        Added(name, votes_of(earlier, first[name], before), votes_of(later, second[name], after)) for name in common
    ]  # fmt: skip
    if listed_all(earlier) and listed_all(later) and (len(earlier.figures) > len(common) or len(later.figures) > len(common)):
        rows.append(
            Added(
                OTHERS,
                _remainder(earlier, common, before, [row.before for row in rows]),
                _remainder(later, common, after, [row.after for row in rows]),
            )
        )
    return tuple(rows)


def _remainder(announcement: Announcement, common: Sequence[str], total: Span, listed: Sequence[Span]) -> Span:
    """The votes of all options but the common ones: as announced, and as what those leave of the total."""
    spans = [votes_of(announcement, figure, total) for figure in announcement.figures if figure.name not in common]
    own = Span(sum(span.low for span in spans), sum(span.high for span in spans))
    left = Span(total.low - sum(span.high for span in listed), total.high - sum(span.low for span in listed))
    return own & left or own


def _smallest(options: Sequence[Added], later: Announcement, before: Span) -> int | None:
    percents = {figure.name: figure.percent for figure in later.named}
    if later.others is not None:
        percents[OTHERS] = later.others.percent
    rows = [(row.before.low, percent) for row in options if (percent := percents.get(row.name)) is not None]
    if not rows or later.base not in (None, "valid") or max(before.low, *(votes for votes, _ in rows)) > MAX_TOTAL:
        return None
    best = best_fit(later)
    rule: Rule = later.rounding or (best.rule if best is not None else "half-up")
    complete = len(rows) == len(options) == len(later.figures) and later.others is not None
    return smallest_total(
        [max(0, votes) for votes, _ in rows], [percent for _, percent in rows], before.low, rule, complete=complete
    )


def _shifts(earlier: Announcement, later: Announcement, after: Span) -> list[ShareShift]:
    spans = counted_span(earlier, earlier.rounding), counted_span(later, later.rounding)
    shares = earlier.counted_share, later.counted_share
    if spans[0] is None or spans[1] is None or not shares[0] or not shares[1] or after.count != 1:
        return []
    if shares[0] > shares[1] or not {earlier.base, later.base} <= {None, "valid"}:
        return []
    total = after.low
    added = total * (1 - shares[0] / shares[1])
    most = total * (1 - spans[0][0] / spans[1][1])
    votes = {figure.name: figure.votes for figure in later.named}
    rows = []
    for figure in earlier.named:
        later_votes = votes.get(figure.name)
        if figure.percent is None or later_votes is None or later_votes > total:
            continue
        rules = RULES if earlier.rounding is None else (earlier.rounding,)
        needs = [n for rule in rules if (n := fewest_added(later_votes, total, figure.percent, rule)) is not None]
        share = Fraction(later_votes, total)
        whole = min(round(added), total - 1)
        shift = largest_shift(later_votes, total, whole, rose=share >= figure.percent.share)
        rows.append(ShareShift(figure.name, figure.percent, share, min(needs, default=None), added, most, shift))
    return rows


def _findings(earlier: Announcement, later: Announcement, taken: tuple[Span, Span], safe: tuple[Span, Span]) -> list[Finding]:
    """The findings at the totals taken; what contradicts there but not at every total that is possible stays undecided."""
    found = []
    for row, sure in zip(_added(earlier, later, *taken), _added(earlier, later, *safe), strict=True):
        fits = _decided(row.votes, sure.votes)
        text = Phrase(
            "{name}: {after} after {before}: {change}",
            name=row.name,
            after=said_votes(row.after, taken[1]),
            before=said_votes(row.before, taken[0]),
            change=change(row.votes),
        )
        found.append(Finding("added-votes", fits, text, _unless(fits)))
    added, surely = _difference(*taken), _difference(*safe)
    fits = _decided(added, surely)
    text = Phrase(
        "valid votes {after} after {before}: {change}",
        after=said_votes(taken[1], taken[1]),
        before=said_votes(taken[0], taken[0]),
        change=change(added),
    )
    found.append(Finding("added-total", fits, text, _unless(fits)))
    roll = later.roll if later.roll is not None else earlier.roll
    if roll is None:
        return found
    left = roll - max(safe[0].low, earlier.cast or 0)
    if surely.low > left:
        text = Phrase.several(
            "at least {n} vote was added, and at most {voters} registered voters were left",
            "at least {n} votes were added, and at most {voters} registered voters were left",
            surely.low,
            voters=max(0, left),
        )
        found.append(Finding("added-above-outstanding", False, text, CORRECTIONS))
        return found
    shares = counted_span(earlier, earlier.rounding), counted_span(later, later.rounding)
    if shares[0] is not None and shares[1] is not None and added.count == 1 and added.low >= 0:
        voters = int(roll * max(Fraction(0), shares[1][1] - shares[0][0]))
        fits = added.low <= voters or None
        if fits:
            text = Phrase(
                "the {votes} votes added are no more than the {voters} voters of the sheets added, if rolls are alike",
                votes=added.low,
                voters=voters,
            )
        else:
            text = Phrase(
                "the {votes} votes added are more than the {voters} voters of the sheets added, if rolls are alike",
                votes=added.low,
                voters=voters,
            )
        found.append(Finding("added-above-outstanding", fits, text, () if fits else OTHER_SHARE))
    return found


def _shift_finding(shift: ShareShift) -> Finding:
    if shift.needed is None:
        needed = Phrase("no number of votes")
    else:
        needed = Phrase.several("at least {n} vote", "at least {n} votes", shift.needed)
    text = Phrase(
        "{name}: from {percent} to {share} takes {needed}; as many votes on every sheet would be {added} added, at most {most} "
        "by the digits given, which move a share by at most {points} points",
        name=shift.name,
        percent=shift.percent,
        share=Quantity(shift.share, 4, share=True),
        needed=needed,
        added=round(shift.added),
        most=int(shift.most_added),
        points=Quantity(100 * shift.largest_shift, 4),
    )
    # Sheets need not hold as many votes as each other, so that this alone cannot contradict.
    return Finding("share-shift", True if shift.reachable else None, text, () if shift.reachable else OTHER_SHARE)


def _difference(before: Span, after: Span) -> Span:
    return Span(after.low - before.high, after.high - before.low)


def _decided(taken: Span, safe: Span) -> bool | None:
    fits = grows(taken)
    if fits is False and grows(safe) is not False:
        return None
    return fits


def _unless(fits: bool | None) -> tuple[Phrase, ...]:
    return CORRECTIONS if fits is False else ()
