"""Whether the outcome can still change, as a page shows it: the call in a sentence, what it rests on, a picture, its table."""

from dataclasses import replace
from typing import Final

from scrutineer.calls import Call, ConditionCall, make_call
from scrutineer.calls.condition_words import times
from scrutineer.calls.from_count import incoherence, partial_count
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.picture import picture
from scrutineer.calls.sentences import condition_sentence, explanations, names_of, sentence
from scrutineer.calls.track import rows, track
from scrutineer.election import Contest
from scrutineer.portal.text import number, words
from scrutineer.portal.view import View
from scrutineer.statements.contest_call import CalledCondition, ContestCall

CONDITIONS_SHOWN: Final = 12
VERDICTS: Final = {
    "not-coherent": "Not coherent",
    "arithmetic": "Decided by arithmetic",
    "statistics": "Decided by statistics",
    "not-decided": "Not decided",
}
REPLAY: Final = "the stations of this file"


def call_section(view: View, contest: int) -> str:
    """The call on a contest at the size of the log; empty where the definition commits to no settings."""
    settings = view.election.definition.calls
    if settings is None:
        return ""
    partial = partial_count(view.count, contest, settings)
    asked = view.election.contests[contest]
    call = make_call(asked, partial, settings, committed=True, incoherent=incoherence(view.count, contest, partial))
    if view.election.definition.provenance == "replayed":
        # A file may list some stations of a country only: it elects nobody.
        call = replace(call, unit=REPLAY)
    why = "".join(f"<li>{words(text)}</li>\n" for text in (*explanations(call, asked), *call.incoherent))
    return (
        f'<div class="call"><h3>The call</h3>\n<p>{words(sentence(call, asked))}</p>\n'
        f"{f'<ul>{why}</ul>' if why else ''}\n{_picture(partial, asked)}{_conditions(call, asked)}"
        "<p>What the verdicts mean, and what each of them promises, stands in the programme’s page on calls.</p></div>\n"
    )


def stated_call(view: View, stated: ContestCall) -> str:
    """A call as a bulletin states it."""
    names = {candidate.id: candidate.name for contest in view.election.contests for candidate in contest.standing()}
    shown = list(stated.conditions[:CONDITIONS_SHOWN])
    if stated.lead is not None and stated.lead not in shown:
        shown.append(stated.lead)
    body = "".join(_stated_row(condition, names) for condition in shown)
    reasons = ", ".join(f"<code>{words(reason)}</code>" for reason in stated.reasons)
    return (
        f"<h3>The call</h3>\n<p><strong>{VERDICTS[stated.verdict]}</strong>{f': {reasons}' if reasons else ''}.</p>\n"
        f"{_table('What it rested on', body) if body else ''}"
    )


def _picture(partial: PartialCount, contest: Contest) -> str:
    if partial.counted_stations == 0 or len(contest.standing()) == 1 or contest.rule == "ranked":
        return ""
    names = {candidate.id: candidate.name for candidate in contest.standing()}
    named = replace(partial, candidates=tuple(names[candidate] for candidate in partial.candidates))
    shown = track(named, contest.title)
    head, *lines = rows(shown)
    cells = "".join(f'<th scope="col">{words(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{words(cell)}</td>' for cell in line)}</tr>\n" for line in lines)
    return (
        f'<figure class="track">{picture(shown, inline=True)}</figure>\n<details><summary>The picture as a table</summary>\n'
        f'<div class="wide"><table class="list"><thead><tr>{cells}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n'
        "</details>\n"
    )


def _conditions(call: Call, contest: Contest) -> str:
    names = names_of(call, contest)
    shown = list(dict.fromkeys(condition for clause in call.clauses for condition in clause))
    shown += [lead for lead in call.leads if lead not in shown]
    shown.sort(key=lambda condition: (condition.verdict == "arithmetic", condition.value))
    body = "".join(_row(condition, condition_sentence(condition.condition, names)) for condition in shown[:CONDITIONS_SHOWN])
    return _table("What the verdict rests on", body) if body else ""


def _row(condition: ConditionCall, text: str) -> str:
    found = condition.sensitivity
    flips_at = "" if found is None else "never" if found.flips_at is None else times(found.flips_at)
    seen = "" if found is None else "beyond" if found.seen is None else times(found.seen)
    return _cells(text, condition.value, flips_at, seen, VERDICTS[condition.verdict])


def _stated_row(condition: CalledCondition, names: dict[str, str]) -> str:
    flips_at = "" if condition.flips_at is None else times(condition.flips_at)
    seen = "" if condition.seen is None else times(condition.seen)
    kind, *ids = condition.code.split(":")
    text = " : ".join([kind, *(names.get(own, own) for own in ids)])
    return _cells(text, condition.value, flips_at, seen, VERDICTS[condition.verdict])


def _cells(text: str, value: int, flips_at: str, seen: str, verdict: str) -> str:
    cells = (number(value), flips_at, seen, verdict)
    return f'<tr><th scope="row">{words(text)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>\n'


def _table(caption: str, body: str) -> str:
    return (
        f'<div class="wide"><table class="list"><caption>{caption}</caption>\n<thead><tr><th scope="col">Condition</th>'
        '<th scope="col">Value now</th><th scope="col">Flips at gamma</th><th scope="col">Seen tonight</th>'
        f'<th scope="col">Verdict</th></tr></thead>\n<tbody>\n{body}</tbody></table></div>\n'
    )
