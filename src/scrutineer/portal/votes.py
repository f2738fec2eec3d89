"""Tables of votes: candidates with votes and shares, seats, and the rounds of an instant run-off."""

from collections.abc import Sequence

from scrutineer.count import UnitResult, unit_result
from scrutineer.election.contests import LIST_RULES
from scrutineer.portal import words as say
from scrutineer.portal.page import share_bar
from scrutineer.portal.text import known, number, percent, words
from scrutineer.portal.view import View, base_of


def candidates_table(view: View, contest: int, result: UnitResult) -> str:
    """Candidates with votes and shares, most votes first, then blank and null votes and ballots, of any unit."""
    state = view.count.contests[contest]
    terms = state.contest
    votes = view.by_candidate(contest, result.votes)
    base = base_of(terms, result)
    names = view.candidate_names[contest]
    seats = view.standings[contest].outcome.seats if result is view.standings[contest].result else ()
    rows = []
    for index in sorted(range(len(names)), key=lambda index: (-votes[index], index)):
        seat = f"<td>{number(seats[index])}</td>" if seats else ""
        rows.append(
            f'<tr><th scope="row">{names[index]}{_parts(view, contest, index, result)}</th><td>{number(votes[index])}</td>'
            f"<td>{percent(votes[index], base.ballots)}</td>{seat}"
            f'<td class="bar">{share_bar(votes[index], base.ballots)}</td></tr>\n'
        )
    whole = result is view.standings[contest].result
    caption = say.rule_sentence(terms) if whole else "Votes of the stations that are counted here"
    who = "Answer" if terms.rule == "yes-no" else "List" if terms.rule in LIST_RULES else "Candidate"
    seat_head = '<th scope="col">Seats</th>' if seats else ""
    rest = f'<td colspan="{3 if seats else 2}"></td>'
    turnout = "" if not result.counted or result.roll_counted is None else percent(result.ballots, result.roll_counted)
    of_roll = (
        f'<td>{turnout}</td><td class="note" colspan="{2 if seats else 1}">{"of the registered voters" if turnout else ""}</td>'
    )
    return (
        f'<table class="votes">\n<caption>{caption}</caption>\n'
        f'<thead><tr><th scope="col">{who}</th><th scope="col">{"First preferences" if terms.rule == "ranked" else "Votes"}</th>'
        f'<th scope="col">Share</th>{seat_head}<th scope="col" class="bar">of {base.label}</th></tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody>\n<tfoot>\n"
        f'<tr><th scope="row">Blank</th><td>{known(result.blank)}</td>{rest}</tr>\n'
        f'<tr><th scope="row">Null</th><td>{known(result.null)}</td>{rest}</tr>\n'
        f'<tr><th scope="row">Ballots</th><td>{number(result.ballots)}</td>{of_roll}</tr>\n'
        "</tfoot>\n</table>\n"
    )


def _parts(view: View, contest: int, candidate: int, result: UnitResult) -> str:
    """The votes of each option of a candidate who stands on several."""
    terms = view.election.contests[contest]
    options = view.options_of(contest, candidate)
    if len(options) < 2:
        return ""
    each = (f"{words(terms.options[option].name)} {number(result.votes[option])}" for option in options)
    return f'<span class="parts">{" · ".join(each)}</span>'


def rounds_table(view: View, contest: int) -> str:
    """The rounds of an instant run-off; empty for every other rule, and where one round was enough."""
    rounds = view.standings[contest].outcome.rounds
    if len(rounds) < 2:
        return ""
    names = view.candidate_names[contest]
    order = sorted(range(len(names)), key=lambda index: tuple(-(r.votes[index] or 0) for r in reversed(rounds)))
    head = "".join(f'<th scope="col">Round {number(n)}</th>' for n in range(1, len(rounds) + 1))
    rows = []
    for index in order:
        cells = []
        for r in rounds:
            votes = r.votes[index]
            left = ' class="left"' if index in r.eliminated else ""
            cells.append('<td class="no">–</td>' if votes is None else f"<td{left}>{number(votes)}</td>")
        rows.append(f'<tr><th scope="row">{names[index]}</th>{"".join(cells)}</tr>\n')
    spent = "".join(f"<td>{number(r.exhausted)}</td>" for r in rounds)
    return (
        '<div class="wide"><table class="rounds">\n<caption>Rounds of the run-off; a struck figure is the last of a candidate '
        f'who leaves</caption>\n<thead><tr><th scope="col">Candidate</th>{head}</tr></thead>\n<tbody>\n{"".join(rows)}</tbody>\n'
        f'<tfoot><tr><th scope="row">Exhausted</th>{spent}</tr></tfoot>\n</table></div>\n'
    )


def in_front(view: View, contest: int, votes: Sequence[int]) -> str:
    """Who has the most votes among these (per option), with the share of all of them; more than one where they are level."""
    terms = view.election.contests[contest]
    total = view.by_candidate(contest, votes)
    most, valid = max(total), sum(total)
    if not most:
        return '<span class="no">–</span>'
    first = [index for index, own in enumerate(total) if own == most]
    if len(first) > 2:
        return f"{number(len(first))} are level"
    who = " and ".join(view.candidate_names[contest][index] for index in first)
    share = f" {percent(most, valid)}" if terms.single_choice() else f" {number(most)}"
    return f'{who}<span class="share">{share}</span>'


def unit_figures(view: View, contest: int, unit: int) -> UnitResult:
    """The totals of a unit; those of the contest's own unit are the ones that its standing was decided on."""
    if unit == view.election.contest_units[contest]:
        return view.standings[contest].result
    return unit_result(view.count, contest, unit)
