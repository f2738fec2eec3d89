"""What the pages say of a contest: every sentence about who is ahead, and whether that can still change, stands here.

The sentences take no side and accuse nobody. They say "winner" only where the rule gives one and no ballot that is still open
could change it, and never call anything a trend.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from scrutineer.count import COUNTED, EXCLUDED, OUTSTANDING, QUARANTINED, Standing, UnitResult
from scrutineer.election import Contest
from scrutineer.election.contests import LIST_RULES, parse_share
from scrutineer.election.definition import Provenance
from scrutineer.language import Say, msg

STATUS_WORDS: Final = {
    OUTSTANDING: msg("No sheet has arrived"),
    COUNTED: msg("Counted"),
    QUARANTINED: msg("In quarantine"),
    EXCLUDED: msg("Excluded by decision"),
}
STATUS_SENTENCES: Final = {
    OUTSTANDING: msg("Its votes are unknown, which is not zero."),
    COUNTED: msg("The figures below are in the totals."),
    QUARANTINED: msg("The figures below are recorded and shown, and stay out of the totals until a signed decision clears them."),
    EXCLUDED: msg("A signed decision keeps this station out of the totals."),
}
SEVERITY_WORDS: Final = {"error": msg("Quarantine"), "warning": msg("Note"), "off": msg("Off")}
FINDING_WORDS: Final = {"error": msg("Rule not met"), "warning": msg("Note"), "off": msg("Off")}
ACTION_WORDS: Final = {
    "accept": msg("The sheet is accepted as it stands."),
    "correct": msg("The sheet is counted with corrected figures."),
    "exclude": msg("The station is kept out of the count."),
}
LAYERS: Final = {
    "preliminary": msg("Preliminary count"),
    "official": msg("Official count"),
    "certified": msg("Certified result"),
}
LAYER_SENTENCES: Final = {
    "preliminary": msg("Stations’ sheets as they arrived; nothing here is certified."),
    "official": msg("The authority has signed exactly these totals as its official count."),
    "certified": msg("The authority has signed the certificate of exactly these totals."),
}
_METHODS: Final = {
    "dhondt": msg("{seats}, given by the method of D’Hondt."),
    "sainte-lague": msg("{seats}, given by the method of Sainte-Laguë."),
    "hamilton": msg("{seats}, given by the method of Hamilton (largest remainders)."),
}
_METHODS_ABOVE: Final = {
    "dhondt": msg("{seats}, given by the method of D’Hondt among lists with at least {share} of the valid votes."),
    "sainte-lague": msg("{seats}, given by the method of Sainte-Laguë among lists with at least {share} of the valid votes."),
    "hamilton": msg(
        "{seats}, given by the method of Hamilton (largest remainders) among lists with at least {share} of the valid votes."
    ),
}


@dataclass(frozen=True, slots=True)
class Change:
    """Whether what is still open can change the outcome: the state, its short name and one sentence or two."""

    state: Literal["open", "closed", "unbounded"]
    label: str
    sentence: str


def rule_sentence(say: Say, contest: Contest) -> str:
    """How the contest is decided, in one sentence."""
    threshold = _share(say, contest.threshold)
    half = say.share(Fraction(1, 2))
    match contest.rule:
        case "plurality" if contest.seats == 1:
            return say("The candidate with the most votes is elected.")
        case "plurality":
            return say(
                "The {seats} candidates with the most votes are elected; a ballot bears up to {votes}.",
                seats=contest.seats,
                votes=_votes(say, contest.max_choices),
            )
        case "approval" if contest.seats == 1:
            return say("The candidate whom the most ballots approve is elected.")
        case "approval":
            return say("The {seats} candidates whom the most ballots approve are elected.", seats=contest.seats)
        case "yes-no":
            return say("Adopted with more than {share} of the votes for yes and no.", share=threshold or half)
        case "majority":
            return _majority(say, contest, threshold or half)
        case "ranked":
            return say(
                "Instant run-off: the last candidate leaves, round by round, until one has more than half of the ballots left."
            )
        case _:
            seats = _seats(say, contest.seats)
            if threshold:
                return say.later(_METHODS_ABOVE[contest.rule], seats=seats, share=threshold)
            return say.later(_METHODS[contest.rule], seats=seats)


def _majority(say: Say, contest: Contest, share: str) -> str:
    other, cast = contest.alternative, contest.base != "valid"
    if other is None:
        if cast:
            return say(
                "Elected with more than {share} of the ballots cast; otherwise the first two go into a run-off.", share=share
            )
        return say("Elected with more than {share} of the valid votes; otherwise the first two go into a run-off.", share=share)
    values = {"share": share, "least": _share(say, other.share), "lead": _share(say, other.lead)}
    if cast:
        return say(
            "Elected with more than {share} of the ballots cast, or with at least {least} and {lead} more than the next; "
            "otherwise the first two go into a run-off.",
            **values,
        )
    return say(
        "Elected with more than {share} of the valid votes, or with at least {least} and {lead} more than the next; "
        "otherwise the first two go into a run-off.",
        **values,
    )


def headline(say: Say, now: Standing) -> str:
    """Who is ahead and by how much, in one sentence."""
    contest, outcome = now.contest, now.outcome
    names = [say.name(candidate.name) for candidate in contest.standing()]
    if now.result.counted == 0:
        return say("No station has been counted yet.")
    if contest.rule in LIST_RULES:
        return _seats_headline(say, now, names)
    if outcome.runoff or (contest.rule == "majority" and outcome.open_seats == 2):
        return _runoff_headline(say, now, names)
    if outcome.tied:
        return _tied_headline(say, now, names)
    if contest.rule == "yes-no":
        adopted = outcome.elected == (0,)
        more, other = _more_votes(say, outcome.margin or 0), names[1] if adopted else names[0]
        if adopted:
            return say("As counted, the question is adopted; {more} for {other} would be level.", more=more, other=other)
        return say("As counted, the question is not adopted; {more} for {other} would be level.", more=more, other=other)
    if len(outcome.elected) > 1:
        values = {"candidates": _named(say, names, outcome.elected), "places": _places(say, contest.seats)}
        if outcome.margin is None:
            return say("{candidates} are in front for {places}.", **values)
        return say(
            "{candidates} are in front for {places}; the last of them is {votes} ahead of the next.",
            **values,
            votes=_votes(say, outcome.margin),
        )
    leader = names[outcome.elected[0]]
    if outcome.margin is None:
        return say("{leader} stands alone.", leader=leader)
    votes = _votes(say, outcome.margin)
    if contest.rule == "ranked":
        if len(outcome.rounds) < 2:
            return say("{leader} is ahead by {votes} in the first round, which decides.", leader=leader, votes=votes)
        return say(
            "{leader} is ahead by {votes} in the last round, round {round}.",
            leader=leader,
            votes=votes,
            round=len(outcome.rounds),
        )
    second = sorted(range(len(names)), key=lambda index: (-now.candidate_votes[index], index))[1]
    return say("{leader} leads {second} by {votes}.", leader=leader, second=names[second], votes=votes)


def _tied_headline(say: Say, now: Standing, names: list[str]) -> str:
    contest, outcome = now.contest, now.outcome
    tied = _named(say, names, outcome.tied)
    if contest.seats == 1:
        return say("{candidates} are level for the place.", candidates=tied)
    level = say.several(
        "{candidates} are level for the last place.",
        "{candidates} are level for the last {n} places.",
        outcome.open_seats,
        candidates=tied,
    )
    if not outcome.elected:
        return level
    held = say.several(
        "{candidates} is in front.",
        "{candidates} are in front.",
        len(outcome.elected),
        candidates=_named(say, names, outcome.elected),
    )
    return _sentences(say, held, level)


def _seats_headline(say: Say, now: Standing, names: list[str]) -> str:
    outcome, contest = now.outcome, now.contest
    level = ""
    if outcome.tied:
        level = say.several(
            "{lists} are level for the last seat.",
            "{lists} are level for the last {n} seats.",
            outcome.open_seats,
            lists=_named(say, names, outcome.tied),
        )
    if not outcome.elected:
        return level or say("No list reaches the share that a seat needs.")
    most = max(outcome.seats)
    first = [index for index in outcome.elected if outcome.seats[index] == most]
    values = {"lists": _named(say, names, first), "most": most, "seats": contest.seats}
    if len(first) == 1:
        held = say("{lists} holds the most seats: {most} of {seats}.", **values)
    else:
        held = say("{lists} hold the most seats: {most} each of {seats}.", **values)
    return _sentences(say, held, level)


def _runoff_headline(say: Say, now: Standing, names: list[str]) -> str:
    outcome = now.outcome
    into, tied = _named(say, names, outcome.runoff), _named(say, names, outcome.tied)
    if not outcome.tied:
        return say(
            "No candidate has passed the share that the rule asks for: {candidates} would go into a run-off.", candidates=into
        )
    if not into:
        return say("{candidates} are level for the two places in a run-off.", candidates=tied)
    return say("{candidate} would go into a run-off; {others} are level for the other place in it.", candidate=into, others=tied)


def change(say: Say, now: Standing, provenance: Provenance = "official", *, by_statistics: bool = False) -> Change:
    """Whether what is outstanding and in quarantine could change the outcome.

    A file that somebody published may list some stations of a country only, so a replay names no winner and says how far its
    answer reaches. Where statistics decide what arithmetic leaves open (`by_statistics`), the sentence is of arithmetic alone.
    """
    if provenance != "replayed":
        return _change(say, now, winner(say, now), by_statistics=by_statistics)
    found = _change(say, now, "", by_statistics=by_statistics)
    label = say("Within this file") if found.state == "closed" else found.label
    reach = say("This is about the stations that the published file lists; whether others voted, it does not say.")
    return Change(found.state, label, _sentences(say, found.sentence, reach))


def _change(say: Say, now: Standing, winner_sentence: str, *, by_statistics: bool) -> Change:
    result, bound = now.result, now.bound
    waiting = result.outstanding + result.quarantined
    if result.counted == 0:
        return Change("open", say("Can change"), say("Yes: no station has been counted yet."))
    if not bound.changeable:
        label = say("Beyond change")
        if not waiting:
            reason = say("No: no station is outstanding or in quarantine.")
        elif bound.margin is None or bound.slack is None:
            reason = say("No: no number of further ballots could change who holds the places.")
        else:
            reason = say(
                "No: at most {coming} can still come and {needed} would be needed. It is beyond change by {slack}.",
                coming=_ballots(say, result.open_ballots or 0),
                needed=bound.margin,
                slack=_ballots(say, bound.slack),
            )
        return Change("closed", label, _sentences(say, reason, winner_sentence))
    needed = "" if bound.margin is None else _enough(say, bound.margin, exact=bound.exact)
    if result.open_ballots is None:
        label = say("Decided by statistics") if by_statistics else say("Cannot be bounded")
        unbounded = say.several(
            "This cannot be bounded, because the roll of {n} station is unknown.",
            "This cannot be bounded, because the rolls of {n} stations are unknown.",
            result.open_without_roll,
        )
        return Change("unbounded", label, _sentences(say, unbounded, needed))
    values = {"ballots": _ballots(say, result.open_ballots), "stations": stations(say, waiting)}
    if by_statistics:
        said = say("By arithmetic alone it can: up to {ballots} can still come from {stations}.", **values)
        return Change("open", say("Decided by statistics"), _sentences(say, said, needed))
    said = say("Yes: up to {ballots} can still come from {stations}.", **values)
    return Change("open", say("Can change"), _sentences(say, said, needed))


def winner(say: Say, now: Standing) -> str:
    """Who has won by the rule, for an outcome that nothing open can change; empty where the rule names nobody."""
    if now.contest.rule in LIST_RULES or now.contest.rule == "yes-no" or now.outcome.tied or not now.outcome.elected:
        return ""
    names = [say.name(candidate.name) for candidate in now.contest.standing()]
    who = _named(say, names, now.outcome.elected)
    return say.several("Winner by the rule: {who}.", "Winners by the rule: {who}.", len(now.outcome.elected), who=who)


def progress_parts(say: Say, result: UnitResult) -> list[str]:
    """How much is counted, in stations: one part for each status that there is."""
    parts = [
        say.several(
            "{counted} of {n} station counted", "{counted} of {n} stations counted", result.stations, counted=result.counted
        )
    ]
    if result.quarantined:
        parts.append(say("{stations} in quarantine", stations=result.quarantined))
    if result.excluded:
        parts.append(say("{stations} excluded", stations=result.excluded))
    if result.outstanding:
        parts.append(say("{stations} outstanding", stations=result.outstanding))
    return parts


def stations(say: Say, count: int) -> str:
    """A number of stations."""
    return say.several("{n} station", "{n} stations", count)


def _enough(say: Say, ballots: int, *, exact: bool) -> str:
    if exact:
        return say.several("{n} further ballot could be enough.", "{n} further ballots could be enough.", ballots)
    return say.several(
        "Fewer than {n} further ballot cannot change it; how many could is not known exactly.",
        "Fewer than {n} further ballots cannot change it; how many could is not known exactly.",
        ballots,
    )


def _named(say: Say, names: list[str], which: Iterable[int]) -> str:
    return say.listed([names[index] for index in which])


def _sentences(say: Say, first: str, second: str) -> str:
    return say.joined((first, second))


def _votes(say: Say, value: int) -> str:
    return say.several("{n} vote", "{n} votes", value)


def _more_votes(say: Say, value: int) -> str:
    return say.several("{n} more vote", "{n} more votes", value)


def _ballots(say: Say, value: int) -> str:
    return say.several("{n} ballot", "{n} ballots", value)


def _places(say: Say, value: int) -> str:
    return say.several("{n} place", "{n} places", value)


def _seats(say: Say, value: int) -> str:
    return say.several("{n} seat", "{n} seats", value)


def _share(say: Say, text: str) -> str:
    """A share of a rule, exactly: as a percentage where that comes out even in two decimals, else as a fraction."""
    if not text:
        return ""
    share = parse_share(text, "share")
    if (share * 10_000).denominator != 1:
        return f"{share.numerator}/{share.denominator}"
    return say.share(share)
