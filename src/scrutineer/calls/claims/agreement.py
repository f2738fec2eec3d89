"""Do the announced numbers agree with each other? Sums, and votes against percentages for every base and rounding rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scrutineer.calls.claims.agreement_words import counted_totals, options_text, part_of, parts_text, points
from scrutineer.calls.claims.announcement import BASE_NAMES, BASES, Announcement, Base, Figure
from scrutineer.calls.claims.findings import Finding
from scrutineer.calls.claims.percent import RULE_NAMES, RULES, Percent, Rule
from scrutineer.calls.claims.rounding import ANY_TOTAL, Span, prints, totals_leaving, totals_printing, votes_printing
from scrutineer.language import Phrase, Row

SLIPS: Final = (
    Phrase("a digit was misheard or mistyped where the figures were read out or copied"),
    Phrase("figures of different moments, or of different sets of stations, stand in one bulletin"),
    Phrase("percentages were shortened by another rule, or taken of another base, than the bulletin says"),
)


@dataclass(frozen=True, slots=True)
class FigureFit:
    """One option's votes against its percentage, alone."""

    name: str
    totals: Span
    """The totals of which the votes print as the percentage; all totals where one of the two was not announced."""


@dataclass(frozen=True, slots=True)
class BaseFit:
    """All votes against all percentages of the options, for one base and one rounding rule.

    Each option alone allows a run of totals, and so does the percentage of an option whose votes are what is left over; so what
    all of them allow together is a run too, `totals`, exactly. Two or more options without votes bound each other's votes as
    well; that is checked where the total is known, so that where it is not the run may hold some totals too many.
    """

    base: Base
    rule: Rule
    each: tuple[FigureFit, ...]
    rest: FigureFit | None
    """The option whose votes are what the others leave of the total, where there is one."""
    announced: Span
    """The totals that the announced figures leave open before any percentage is looked at; one where the total was given."""
    totals: Span
    """The totals that fit everything jointly."""

    @property
    def fits(self) -> bool:
        """Whether there is a total that fits everything."""
        return bool(self.totals)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the checks of one announcement against itself found."""

    fits: tuple[BaseFit, ...]
    """Every base and rule that was asked about: those stated where they were stated, else all."""
    findings: tuple[Finding, ...]

    @property
    def coherent(self) -> bool:
        """Whether no check contradicts another."""
        return all(finding.fits is not False for finding in self.findings)

    @property
    def best(self) -> BaseFit | None:
        """The first base and rule that fits, in the order valid, cast, roll and half-up, half-even, truncation."""
        return next((fit for fit in self.fits if fit.fits), None)


def counted_span(announcement: Announcement, rule: Rule | None = None) -> tuple[Fraction, Fraction] | None:
    """The least and the greatest share of sheets that may be meant, or None where it was not announced.

    With the numbers of sheets it is known; a percentage may have been shortened: by the rule, or by any where none is given, so
    that '80' is 79.5 to 80.5 under rounding, 80 to 81 under truncation. 100 per cent is taken at its word: everything.
    """
    if announcement.stations is not None and announcement.stations_counted is not None:
        share = Fraction(announcement.stations_counted, announcement.stations)
        return share, share
    percent = announcement.counted_percent
    if percent is None:
        return None
    if percent.units == percent.whole:
        return Fraction(1), Fraction(1)
    below = Fraction(0 if rule == "truncation" else 1, 2)
    above = Fraction(2 if rule == "truncation" else 1, 2)
    return (
        max(Fraction(0), (percent.units - below) / percent.whole),
        min(Fraction(1), (percent.units + above) / percent.whole),
    )


def listed_all(announcement: Announcement) -> bool:
    """Whether the figures are all valid votes: there is one for all other options, or they add up to the valid votes."""
    votes = [figure.votes for figure in announcement.figures]
    known = [number for number in votes if number is not None]
    return announcement.others is not None or (len(known) == len(votes) and sum(known) == announcement.valid)


def announced_totals(announcement: Announcement, base: Base) -> Span:
    """The totals that the figures leave open for a base, before any percentage is looked at."""
    votes = [figure.votes for figure in announcement.figures if figure.votes is not None]
    least = max(1, sum(votes))
    if base == "valid":
        if announcement.valid is not None:
            return _one(announcement.valid)
        if listed_all(announcement) and len(votes) == len(announcement.figures):
            return _one(sum(votes))
        return ANY_TOTAL & Span(least, announcement.cast if announcement.cast is not None else ANY_TOTAL.high)
    if base == "cast":
        if announcement.cast is not None:
            return _one(announcement.cast)
        parts = [announcement.valid if announcement.valid is not None else least, announcement.null or 0, announcement.blank or 0]
        return ANY_TOTAL & Span(sum(parts), announcement.roll if announcement.roll is not None else ANY_TOTAL.high)
    if announcement.roll is None:
        return ANY_TOTAL & Span(max(least, announcement.cast or 0), ANY_TOTAL.high)
    # Percentages of the roll may be of the roll of the counted stations, which is known only as far as the rolls are alike.
    span = counted_span(announcement, announcement.rounding)
    return Span(max(1, int(announcement.roll * span[0])) if span else announcement.roll, announcement.roll)


def base_fit(announcement: Announcement, base: Base, rule: Rule) -> BaseFit:
    """Hold the options' votes against their percentages for one base and one rounding rule."""
    announced = announced_totals(announcement, base)
    each = []
    for figure in announcement.figures:
        both = figure.votes is not None and figure.percent is not None
        span = totals_printing(figure.votes, figure.percent, rule) if both else ANY_TOTAL  # type: ignore[arg-type]
        each.append(FigureFit(figure.name, span))
    open_ = [figure for figure in announcement.figures if figure.votes is None]
    known = sum(figure.votes for figure in announcement.figures if figure.votes is not None)
    rest = None
    totals = announced
    for fit in each:
        totals = totals & fit.totals
    if (
        base == "valid"
        and listed_all(announcement)
        and len(open_) == 1
        and open_[0].percent is not None
        and known <= ANY_TOTAL.high
    ):
        rest = FigureFit(open_[0].name, totals_leaving(known, open_[0].percent, rule))
        totals = totals & rest.totals
    elif totals.count == 1 and not _room(open_, known, totals.low, rule, full=base == "valid" and listed_all(announcement)):
        totals = Span(1, 0)
    return BaseFit(base, rule, tuple(each), rest, announced, totals)


def base_fits(announcement: Announcement) -> tuple[BaseFit, ...]:
    """Hold votes against percentages for the base and rule stated, or for every one where that was not said."""
    bases = BASES if announcement.base is None else (announcement.base,)
    rules = RULES if announcement.rounding is None else (announcement.rounding,)
    return tuple(base_fit(announcement, base, rule) for base in bases for rule in rules)


def best_fit(announcement: Announcement) -> BaseFit | None:
    """The first base and rule that fits, in the order valid, cast, roll and half-up, half-even, truncation; None if none does."""
    return next((fit for fit in base_fits(announcement) if fit.fits), None)


def agreement(announcement: Announcement) -> Agreement:
    """Check an announcement against itself: every sum, every percentage, every base and rounding rule."""
    rules = RULES if announcement.rounding is None else (announcement.rounding,)
    fits = base_fits(announcement)
    findings = (
        *_sums(announcement),
        *_percentage_sums(announcement, rules),
        *_votes_against_percentages(announcement, fits),
        *_parts_against_percentages(announcement, rules),
        *_turnout(announcement, rules),
        *_stations(announcement, rules),
    )
    return Agreement(fits, findings)


def _one(total: int) -> Span:
    return Span(total, total) & ANY_TOTAL


def _room(open_: Iterable[Figure], known: int, total: int, rule: Rule, *, full: bool) -> bool:
    """Whether votes for the options without any exist that print as their percentages and fit into the total."""
    spans = [votes_printing(figure.percent, total, rule) for figure in open_ if figure.percent is not None]
    if not all(spans) or known + sum(span.low for span in spans) > total:
        return False
    return not full or known + sum(span.high for span in spans) >= total


def _sums(announcement: Announcement) -> Iterable[Finding]:
    votes = [figure.votes for figure in announcement.figures if figure.votes is not None]
    total, whole = sum(votes), len(votes) == len(announcement.figures)
    valid, cast = announcement.valid, announcement.cast
    if valid is not None and votes:
        # A list without all options may fall short of the valid votes; nothing that is listed may exceed them.
        fits = _adds_up(total, valid, complete=whole and announcement.others is not None)
        yield _finding("sum-of-options", fits, options_text(len(votes), total, valid, fits))
    parts = {"valid": valid, "null": announcement.null, "blank": announcement.blank}
    given = {name: number for name, number in parts.items() if number is not None}
    if cast is not None and given:
        fits = _adds_up(sum(given.values()), cast, complete={"valid", "null", "blank"} <= set(given))
        yield _finding("sum-of-parts", fits, parts_text(given, cast, fits))
    ceiling = min((n for n in (cast, announcement.roll) if n is not None), default=None)
    if valid is None and ceiling is not None and total > ceiling:
        text = Phrase("the votes of the options add up to {total}, above the {most} who could vote", total=total, most=ceiling)
        yield _finding("part-exceeds-total", False, text)
    if cast is not None and announcement.roll is not None:
        if cast <= announcement.roll:
            text = Phrase("{cast} cast are at most the {roll} registered", cast=cast, roll=announcement.roll)
        else:
            text = Phrase("{cast} cast are more than the {roll} registered", cast=cast, roll=announcement.roll)
        yield _finding("cast-against-roll", cast <= announcement.roll, text)
    elif announcement.roll is not None and valid is not None and valid > announcement.roll:
        text = Phrase("{valid} valid are more than the {roll} registered", valid=valid, roll=announcement.roll)
        yield _finding("cast-against-roll", False, text)


def _percentage_sums(announcement: Announcement, rules: Iterable[Rule]) -> Iterable[Finding]:
    percents = [figure.percent for figure in announcement.figures if figure.percent is not None]
    if len(percents) < 2:
        return
    exact = sum((percent.share for percent in percents), Fraction(0))
    # The shares behind the digits: the least and the greatest sums that print so under any of the rules.
    least = min(sum((_low(percent, rule) for percent in percents), Fraction(0)) for rule in rules)
    most = max(sum((_high(percent, rule) for percent in percents), Fraction(0)) for rule in rules)
    full = announcement.others is not None and len(percents) == len(announcement.figures) and announcement.base == "valid"
    fits = least <= 1 and (most >= 1 or not full)
    text = Phrase.several(
        "{n} percentage adds up to {share}", "{n} percentages add up to {share}", len(percents), share=points(exact)
    )
    if not fits:
        text = Phrase(
            "{sum}; shortening alone explains {least} to {most}, and 100 is not among that",
            sum=text,
            least=points(least),
            most=points(min(most, Fraction(10))),
        )
    elif exact != 1 and (announcement.others is not None or exact > 1):
        if least <= 1 <= most:
            text = Phrase("{sum}, as shortening can explain", sum=text)
        else:
            text = Phrase("{sum}, below 100 as a share of all cast is", sum=text)
    yield _finding("sum-of-percentages", fits, text)


def _votes_against_percentages(announcement: Announcement, fits: tuple[BaseFit, ...]) -> Iterable[Finding]:
    if not any(figure.votes is not None and figure.percent is not None for figure in announcement.figures):
        return
    good = [fit for fit in fits if fit.fits]
    if not good and announcement.valid == 0:
        yield Finding("votes-against-percentages", None, Phrase("percentages of no votes at all say nothing"))
        return
    if good:
        said = Row.of(
            (
                Phrase(
                    "shares of {base} by {rule}: {totals}",
                    base=BASE_NAMES[fit.base],
                    rule=RULE_NAMES[fit.rule],
                    totals=counted_totals(fit.totals),
                )
                for fit in good
            ),
            "clauses",
        )
        yield Finding("votes-against-percentages", True, Phrase("votes and percentages fit together as {fits}", fits=said))
        return
    first = fits[0]
    alone = (Phrase("{name} {number}", name=fit.name, number=fit.totals) for fit in first.each if fit.totals != ANY_TOTAL)
    text = Phrase(
        "no total fits votes and percentages by one rule; as shares of {base} by {rule} each alone needs: {needs}",
        base=BASE_NAMES[first.base],
        rule=RULE_NAMES[first.rule],
        needs=Row.of(alone, "clauses"),
    )
    if first.announced.count == 1:
        text = Phrase("{finding}; announced is {announced}", finding=text, announced=first.announced)
    yield _finding("votes-against-percentages", False, text)


def _parts_against_percentages(announcement: Announcement, rules: Iterable[Rule]) -> Iterable[Finding]:
    for name, votes, percent in parts(announcement):
        if announcement.cast is None or announcement.cast == 0:
            continue
        good = [rule for rule in rules if prints(votes, announcement.cast, percent, rule)]
        share = Phrase(
            "{votes} of {cast} cast is {share}",
            votes=part_of(name, votes),
            cast=announcement.cast,
            share=points(Fraction(votes, announcement.cast)),
        )
        if good:
            by = Row.of(RULE_NAMES[rule] for rule in good)
            text = Phrase("{votes}, which prints as {percent} by {rules}", votes=share, percent=percent, rules=by)
        else:
            text = Phrase("{votes}, which does not print as {percent}", votes=share, percent=percent)
        yield _finding("parts-against-percentages", bool(good), text)


def parts(announcement: Announcement) -> tuple[tuple[Phrase, int, Percent], ...]:
    """The valid, null and blank votes that were announced with their share of all cast."""
    rows = (
        (Phrase("valid"), announcement.valid, announcement.percent_of_valid),
        (Phrase("null"), announcement.null, announcement.percent_of_null),
        (Phrase("blank"), announcement.blank, announcement.percent_of_blank),
    )
    return tuple((name, votes, percent) for name, votes, percent in rows if votes is not None and percent is not None)


def _turnout(announcement: Announcement, rules: Iterable[Rule]) -> Iterable[Finding]:
    percent, cast, roll = announcement.turnout_percent, announcement.cast, announcement.roll
    if percent is None or cast is None or roll is None:
        return
    of_all = Phrase("{cast} cast is {share} of the roll of {roll}", cast=cast, share=points(Fraction(cast, roll)), roll=roll)
    spans = {rule: totals_printing(cast, percent, rule) for rule in rules}
    if any(roll in span for span in spans.values()):
        yield Finding("turnout", True, Phrase("{finding}, announced as {percent}", finding=of_all, percent=percent))
        return
    counted = counted_span(announcement)
    if counted is None or counted[0] == 0:
        fits: bool | None = None if any(span and span.low <= roll for span in spans.values()) else False
        text = Phrase(
            "{turnout}, announced as {percent}; the share of sheets counted is not known", turnout=of_all, percent=percent
        )
        yield _finding("turnout", fits, text)
        return
    exact = announcement.counted_share or counted[1]
    of_counted = Phrase("{share} of {counted} of it", share=points(Fraction(cast) / (roll * exact)), counted=points(exact))
    for span in spans.values():
        if span and span.low <= roll * counted[1] and span.high >= roll * counted[0]:
            text = Phrase(
                "{turnout}, and {second}: {percent} is explained by the roll of the counted sheets",
                turnout=of_all,
                second=of_counted,
                percent=percent,
            )
            yield Finding("turnout", True, text)
            return
    # The rolls of the counted stations are together at most the roll, and otherwise not known from these figures.
    fits = None if counted[0] < 1 and any(span and span.low <= roll for span in spans.values()) else False
    text = Phrase("{turnout} and {second}; neither is {percent}", turnout=of_all, second=of_counted, percent=percent)
    yield _finding("turnout", fits, text)


def _stations(announcement: Announcement, rules: Iterable[Rule]) -> Iterable[Finding]:
    stations, counted = announcement.stations, announcement.stations_counted
    if stations is None or counted is None:
        return
    if counted > stations:
        text = Phrase.several(
            "{n} station is counted of {stations}", "{n} stations are counted of {stations}", counted, stations=stations
        )
        yield _finding("stations", False, text)
        return
    percent = announcement.counted_percent
    text = Phrase.several(
        "{counted} of {n} station is {share}",
        "{counted} of {n} stations are {share}",
        stations,
        counted=counted,
        share=points(Fraction(counted, stations)),
    )
    if percent is None:
        yield Finding("stations", True, text)
    else:
        fits = any(prints(counted, stations, percent, rule) for rule in rules)
        text = Phrase("{finding}, announced as {percent}", finding=text, percent=percent)
        yield _finding("counted-share", fits, text)


def _adds_up(amount: int, total: int, *, complete: bool) -> bool | None:
    """Whether parts add up to a total; None where they fall short of it and parts may be missing."""
    if amount == total:
        return True
    return False if amount > total or complete else None


def _finding(code: object, fits: bool | None, text: Phrase) -> Finding:
    return Finding(code, fits, text, SLIPS if fits is False else ())  # type: ignore[arg-type]


def _low(percent: Percent, rule: Rule) -> Fraction:
    return max(Fraction(0), Fraction(2 * percent.units - (rule != "truncation"), 2 * percent.whole))


def _high(percent: Percent, rule: Rule) -> Fraction:
    return Fraction(2 * percent.units + 1 + (rule == "truncation"), 2 * percent.whole)
