"""What the pages say of a contest: every sentence about who is ahead, and whether that can still change, stands here.

The sentences take no side and accuse nobody. They say "winner" only where the rule gives one and no ballot that is still open
could change it, and never call anything a trend.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from scrutineer.count import COUNTED, EXCLUDED, OUTSTANDING, QUARANTINED, Standing, UnitResult
from scrutineer.election import Contest
from scrutineer.election.contests import LIST_RULES, parse_share
from scrutineer.election.definition import Provenance
from scrutineer.portal.text import THIN, count_of, listed, number, words

STATUS_WORDS: Final = {
    OUTSTANDING: "No sheet has arrived",
    COUNTED: "Counted",
    QUARANTINED: "In quarantine",
    EXCLUDED: "Excluded by decision",
}
STATUS_SENTENCES: Final = {
    OUTSTANDING: "No sheet has arrived. Its votes are unknown, which is not zero.",
    COUNTED: "The figures below are in the totals.",
    QUARANTINED: "The figures below are recorded and shown, and stay out of the totals until a signed decision clears them.",
    EXCLUDED: "A signed decision keeps this station out of the totals.",
}
SEVERITY_WORDS: Final = {"error": "Quarantine", "warning": "Note", "off": "Off"}
FINDING_WORDS: Final = {"error": "Rule not met", "warning": "Note", "off": "Off"}
ACTION_WORDS: Final = {
    "accept": "The sheet is accepted as it stands.",
    "correct": "The sheet is counted with corrected figures.",
    "exclude": "The station is kept out of the count.",
}
LAYERS: Final = {
    "preliminary": "Preliminary count",
    "official": "Official count",
    "certified": "Certified result",
}
LAYER_SENTENCES: Final = {
    "preliminary": "Stations’ sheets as they arrived; nothing here is certified.",
    "official": "The authority has signed exactly these totals as its official count.",
    "certified": "The authority has signed the certificate of exactly these totals.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Whether what is still open can change the outcome: the state, its short name and one sentence (HTML)."""

    state: Literal["open", "closed", "unbounded"]
    label: str
    sentence: str


def rule_sentence(contest: Contest) -> str:
    """How the contest is decided, in one sentence."""
    seats = count_of(contest.seats, "seat", "seats")
    threshold = _share(contest.threshold)
    match contest.rule:
        case "plurality" if contest.seats == 1:
            return "The candidate with the most votes is elected."
        case "plurality":
            return (
                f"The {number(contest.seats)} candidates with the most votes are elected; "
                f"a ballot bears up to {count_of(contest.max_choices, 'vote', 'votes')}."
            )
        case "approval":
            who = "candidate" if contest.seats == 1 else f"{number(contest.seats)} candidates"
            return f"The {who} whom the most ballots approve {'is' if contest.seats == 1 else 'are'} elected."
        case "yes-no":
            return f"Adopted with more than {threshold or _percent(Fraction(1, 2))} of the votes for yes and no."
        case "majority":
            of = "valid votes" if contest.base == "valid" else "ballots cast"
            sentence = f"Elected with more than {threshold or _percent(Fraction(1, 2))} of the {of}"
            if contest.alternative is not None:
                share, lead = _share(contest.alternative.share), _share(contest.alternative.lead)
                sentence += f", or with at least {share} and {lead} more than the next"
            return sentence + "; otherwise the first two go into a run-off."
        case "ranked":
            return "Instant run-off: the last candidate leaves, round by round, until one has more than half of the ballots left."
        case _:
            method = {"dhondt": "D’Hondt", "sainte-lague": "Sainte-Laguë", "hamilton": "Hamilton (largest remainders)"}
            limit = f" among lists with at least {threshold} of the valid votes" if threshold else ""
            return f"{seats}, given by the method of {method[contest.rule]}{limit}."


def headline(now: Standing) -> str:
    """Who is ahead and by how much, in one sentence (HTML)."""
    contest, outcome = now.contest, now.outcome
    names = [words(candidate.name) for candidate in contest.standing()]
    if now.result.counted == 0:
        return "No station has been counted yet."
    tied = listed([names[index] for index in outcome.tied])
    if contest.rule in LIST_RULES:
        return _seats_headline(now, names, tied)
    if outcome.runoff or (contest.rule == "majority" and outcome.open_seats == 2):
        return _runoff_headline(now, names, tied)
    if outcome.tied:
        held = f"{listed([names[index] for index in outcome.elected])} {_hold(outcome.elected)}; " if outcome.elected else ""
        places = "the place" if contest.seats == 1 else f"the last {_places(outcome.open_seats)}"
        return f"{held}{tied} are level for {places}."
    if contest.rule == "yes-no":
        adopted = outcome.elected == (0,)
        level = (
            f"{count_of(outcome.margin or 0, 'more vote', 'more votes')} for {names[1] if adopted else names[0]} would be level"
        )
        return f"As counted, the question is {'adopted' if adopted else 'not adopted'}; {level}."
    if len(outcome.elected) > 1:
        next_out = "" if outcome.margin is None else f"; the last of them is {_votes(outcome.margin)} ahead of the next"
        return f"{listed([names[index] for index in outcome.elected])} are in front for {_places(contest.seats)}{next_out}."
    leader = names[outcome.elected[0]]
    if outcome.margin is None:
        return f"{leader} stands alone."
    if contest.rule == "ranked":
        if len(outcome.rounds) < 2:
            return f"{leader} is ahead by {_votes(outcome.margin)} in the first round, which decides."
        return f"{leader} is ahead by {_votes(outcome.margin)} in the last round, round {len(outcome.rounds)}."
    second = sorted(range(len(names)), key=lambda index: (-now.candidate_votes[index], index))[1]
    return f"{leader} leads {names[second]} by {_votes(outcome.margin)}."


def _seats_headline(now: Standing, names: list[str], tied: str) -> str:
    outcome, contest = now.outcome, now.contest
    level = f" {tied} are level for the last {_seats(outcome.open_seats)}." if outcome.tied else ""
    if not outcome.elected:
        return level.strip() or "No list reaches the share that a seat needs."
    most = max(outcome.seats)
    first = [names[index] for index in outcome.elected if outcome.seats[index] == most]
    each = " each" if len(first) > 1 else ""
    verb = "holds" if len(first) == 1 else "hold"
    return f"{listed(first)} {verb} the most seats: {number(most)}{each} of {number(contest.seats)}.{level}"


def _runoff_headline(now: Standing, names: list[str], tied: str) -> str:
    outcome = now.outcome
    into = listed([names[index] for index in outcome.runoff])
    if not outcome.tied:
        return f"No candidate has passed the share that the rule asks for: {into} would go into a run-off."
    if not into:
        return f"{tied} are level for the two places in a run-off."
    return f"{into} would go into a run-off; {tied} are level for the other place in it."


def change(now: Standing, provenance: Provenance = "official", *, by_statistics: bool = False) -> Change:
    """Whether what is outstanding and in quarantine could change the outcome.

    A file that somebody published may list some stations of a country only, so a replay names no winner and says how far its
    answer reaches. Where statistics decide what arithmetic leaves open (`by_statistics`), the sentence is of arithmetic alone.
    """
    if provenance != "replayed":
        return _change(now, winner(now), by_statistics=by_statistics)
    found = _change(now, "", by_statistics=by_statistics)
    label = "Within this file" if found.state == "closed" else found.label
    return Change(
        found.state,
        label,
        f"{found.sentence} This is about the stations that the published file lists; whether others voted, it does not say.",
    )


def _change(now: Standing, winner_sentence: str, *, by_statistics: bool) -> Change:
    result, bound = now.result, now.bound
    waiting = result.outstanding + result.quarantined
    if result.counted == 0:
        return Change("open", "Can change", "Yes: no station has been counted yet.")
    if not bound.changeable:
        if not waiting:
            return Change("closed", "Beyond change", "No: no station is outstanding or in quarantine." + winner_sentence)
        if bound.margin is None or bound.slack is None:
            reason = "no number of further ballots could change who holds the places"
        else:
            reason = (
                f"at most {count_of(result.open_ballots or 0, 'ballot', 'ballots')} can still come and "
                f"{number(bound.margin)} would be needed. It is beyond change by {count_of(bound.slack, 'ballot', 'ballots')}"
            )
        return Change("closed", "Beyond change", f"No: {reason}." + winner_sentence)
    needed = "" if bound.margin is None else f" {_enough(bound.margin, exact=bound.exact)}"
    if result.open_ballots is None:
        unknown = result.open_without_roll
        rolls = "the roll of 1 station is" if unknown == 1 else f"the rolls of {number(unknown)} stations are"
        label = "Decided by statistics" if by_statistics else "Cannot be bounded"
        return Change("unbounded", label, f"This cannot be bounded, because {rolls} unknown.{needed}")
    said = "By arithmetic alone it can" if by_statistics else "Yes"
    return Change(
        "open",
        "Decided by statistics" if by_statistics else "Can change",
        f"{said}: up to {count_of(result.open_ballots, 'ballot', 'ballots')} can still come from "
        f"{count_of(waiting, 'station', 'stations')}.{needed}",
    )


def winner(now: Standing) -> str:
    """Who has won by the rule, for an outcome that nothing open can change; empty where the rule names nobody."""
    if now.contest.rule in LIST_RULES or now.contest.rule == "yes-no" or now.outcome.tied or not now.outcome.elected:
        return ""
    names = [words(candidate.name) for candidate in now.contest.standing()]
    who = [names[index] for index in now.outcome.elected]
    return f" {'Winner' if len(who) == 1 else 'Winners'} by the rule: {listed(who)}."


def progress_sentence(result: UnitResult) -> str:
    """How much is counted, in stations."""
    parts = [f"{number(result.counted)} of {count_of(result.stations, 'station', 'stations')} counted"]
    if result.quarantined:
        parts.append(f"{number(result.quarantined)} in quarantine")
    if result.excluded:
        parts.append(f"{number(result.excluded)} excluded")
    if result.outstanding:
        parts.append(f"{number(result.outstanding)} outstanding")
    return " · ".join(parts)


def _enough(ballots: int, *, exact: bool) -> str:
    if exact:
        return f"{count_of(ballots, 'further ballot', 'further ballots')} could be enough."
    fewer = count_of(ballots, "further ballot", "further ballots")
    return f"Fewer than {fewer} cannot change it; how many could is not known exactly."


def _hold(elected: tuple[int, ...]) -> str:
    return "is in front" if len(elected) == 1 else "are in front"


def _votes(value: int) -> str:
    return count_of(value, "vote", "votes")


def _places(value: int) -> str:
    return "place" if value == 1 else f"{number(value)} places"


def _seats(value: int) -> str:
    return "seat" if value == 1 else f"{number(value)} seats"


def _share(text: str) -> str:
    return _percent(parse_share(text, "share")) if text else ""


def _percent(share: Fraction) -> str:
    """A share of a rule, exactly: as a percentage where that comes out even in two decimals, else as a fraction."""
    hundredths = share * 10_000
    if hundredths.denominator != 1:
        return f"{share.numerator}/{share.denominator}"
    whole, rest = divmod(hundredths.numerator, 100)
    return f"{whole}{f'.{rest:02d}'.rstrip('0') if rest else ''}{THIN}%"
