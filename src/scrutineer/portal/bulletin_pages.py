"""Bulletins and certificates as the authority signed them, and the list of them all."""

from collections.abc import Iterator

from scrutineer.count import Act
from scrutineer.election.contests import LIST_RULES
from scrutineer.portal import words as say
from scrutineer.portal.call_pages import stated_call
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import facts, mark
from scrutineer.portal.pages import Pages
from scrutineer.portal.sheets import proof_details, receipts, signer
from scrutineer.portal.text import known, listed, number, time, words
from scrutineer.portal.view import View
from scrutineer.statements import Bulletin, Certificate, ContestResult
from scrutineer.statements.contest_call import ContestCall


def bulletin_pages(pages: Pages) -> Iterator[SiteFile]:
    """The list, then a page for each in log order."""
    view = pages.view
    yield _list(pages)
    proofs = dict(receipts(view.record, [act.recorded.index for _, act in view.bulletins]))
    for path, act in view.bulletins:
        yield _page(pages, path, act, proofs[act.recorded.index])


def _title(stated: Bulletin | Certificate) -> str:
    return "Certificate" if isinstance(stated, Certificate) else f"Bulletin {number(stated.number)}"


def _payload(act: Act) -> Bulletin | Certificate:
    payload = act.recorded.statement.payload
    if not isinstance(payload, Bulletin | Certificate):
        raise TypeError(type(payload))
    return payload


def _list(pages: Pages) -> SiteFile:
    view = pages.view
    rows = []
    for path, act in view.bulletins:
        stated = _payload(act)
        rows.append(
            f'<tr><th scope="row"><a href="{path.removeprefix("bulletins/")}">{_title(stated)}</a></th>'
            f"<td>{time(stated.time)}</td><td>{number(stated.size)}</td><td>{_effect(act)}</td></tr>\n"
        )
    table = (
        '<div class="wide"><table class="list">\n<caption>In the order of the log</caption>\n<thead><tr>'
        '<th scope="col">Bulletin</th><th scope="col">Signed</th><th scope="col">At log entries</th>'
        '<th scope="col">Effect</th></tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody>\n</table></div>\n"
    )
    content = (
        "<h1>Bulletins</h1>\n<p>A bulletin is the authority’s signed statement of totals at one size of the log. Replaying the "
        "log up to that size must give exactly its numbers; <code>scrutineer verify</code> holds every one against it.</p>\n"
        + (table if rows else "<p>There is none yet.</p>\n")
    )
    return pages.plain("bulletins/index.html", "Bulletins", content)


def _effect(act: Act) -> str:
    if act.effective is not None:
        return "in effect"
    return f"signed by {number(len(act.signed))} of {number(act.needed)} officers"


def _page(pages: Pages, path: str, act: Act, receipt: bytes) -> SiteFile:
    view = pages.view
    stated = _payload(act)
    index = act.recorded.index
    kind = "certified" if isinstance(stated, Certificate) else stated.layer
    layer = say.LAYERS[kind]
    rows = [
        ("Layer", layer),
        ("Signed", time(stated.time)),
        ("At log entries", number(stated.size)),
        ("Root there", f"<code>{stated.root.hex()}</code>"),
        ("Results table", f"<code>{stated.results.hex()}</code>"),
        ("Signed by", ", ".join(signer(issuer) for issuer in act.signed)),
        ("Effect", _effect(act)),
        ("Log entry", number(index)),
        ("Statement", f"<code>{act.recorded.statement.hash.hex()}</code>"),
    ]
    head = (
        f"<h1>{_title(stated)}</h1>\n<p>{mark(kind, layer)} Totals as the authority signed them. "
        "Later sheets and decisions are not in them.</p>\n"
    )
    calls = {call.contest: call for call in stated.calls} if isinstance(stated, Bulletin) else {}
    content = [head, *(_contest(view, result, calls.get(result.contest)) for result in stated.contests)]
    content += [facts(rows), proof_details(index, view.record.entry(index), receipt, "../", "bulletin")]
    return pages.plain(path, _title(stated), "".join(content), [("bulletins/index.html", "Bulletins")])


def _contest(view: View, result: ContestResult, call: ContestCall | None) -> str:
    number_ = view.election.contest_index.get(result.contest)
    if number_ is None or len(result.votes) != len(view.election.contests[number_].options):
        return f"<p>It states totals for {words(result.contest)} that this election does not have.</p>\n"
    contest = view.election.contests[number_]
    rows = "".join(
        f'<tr><th scope="row">{words(option.name)}</th><td>{number(votes)}</td></tr>\n'
        for option, votes in zip(contest.options, result.votes, strict=True)
    )
    names = {c.id: name for c, name in zip(contest.standing(), view.candidate_names[number_], strict=True)}
    held = list(dict.fromkeys(result.elected))
    seats = {name: result.elected.count(name) for name in held}
    figures = [
        ("Stations", number(result.stations)),
        ("Counted", number(result.counted)),
        ("In quarantine", number(result.quarantined)),
        ("Excluded", number(result.excluded)),
        ("Outstanding", number(result.outstanding)),
        ("Ballots still open, at most", known(result.open_ballots)),
        ("Margin", known(result.margin)),
        ("Could it change then?", "yes" if result.changeable else "no"),
    ]
    for label, ids in (("In front", held), ("Run-off", list(result.runoff)), ("Level", list(result.tied))):
        if ids:
            who = [
                names.get(i, words(i)) + (f" ({number(seats[i])})" if label == "In front" and contest.rule in LIST_RULES else "")
                for i in ids
            ]
            figures.insert(0, (label, listed(who)))
    return (
        f'<section class="contest">\n<h2>{words(contest.title)}</h2>\n<table class="figures">\n<caption>Totals stated</caption>\n'
        f'<tbody>\n{rows}<tr class="first"><th scope="row">Blank</th><td>{known(result.blank)}</td></tr>\n'
        f'<tr class="figure"><th scope="row">Null</th><td>{known(result.null)}</td></tr>\n'
        f'<tr class="figure"><th scope="row">Ballots</th><td>{number(result.ballots)}</td></tr>\n'
        f"</tbody>\n</table>\n{facts(figures)}{'' if call is None else stated_call(view, call)}</section>\n"
    )
