"""Bulletins and certificates as the authority signed them, and the list of them all."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from scrutineer.count import Act
from scrutineer.election import Contest
from scrutineer.election.contests import LIST_RULES
from scrutineer.language import Say
from scrutineer.portal import words
from scrutineer.portal.call_pages import stated_call
from scrutineer.portal.check_page import code
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.sheets import receipts
from scrutineer.portal.votes import known
from scrutineer.statements import Bulletin, Certificate, ContestResult
from scrutineer.statements.contest_call import ContestCall

INDEX = "bulletins/index.html"


@dataclass(frozen=True, slots=True)
class Proof:
    """The statement and the receipt of a log entry in base64 (`proof.html`); `name` is that of the files to save them under."""

    index: int
    statement: str
    receipt: str
    name: str


@dataclass(frozen=True, slots=True)
class _StatedContest:
    """What a bulletin states of a contest. Texts are HTML."""

    title: str
    unknown: bool = False
    """Whether this election has no such contest."""
    rows: tuple[tuple[str, int], ...] = ()
    blank: str = ""
    null: str = ""
    ballots: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    call: str = ""


def bulletin_pages(pages: Pages) -> Iterator[SiteFile]:
    """The list, then a page for each in log order."""
    view, say = pages.view, pages.say
    listed = [
        {"path": path, "title": _title(say, stated), "time": stated.time, "size": stated.size, "effect": _effect(say, act)}
        for path, act in view.bulletins
        for stated in [_payload(act)]
    ]
    yield pages.render("bulletins.html", INDEX, say("Bulletins"), bulletins=listed, command=code("scrutineer verify"))
    proofs = dict(receipts(view.record, [act.recorded.index for _, act in view.bulletins]))
    for path, act in view.bulletins:
        yield _page(pages, path, act, proofs[act.recorded.index])


def _title(say: Say, stated: Bulletin | Certificate) -> str:
    return say("Certificate") if isinstance(stated, Certificate) else say("Bulletin {number}", number=stated.number)


def _payload(act: Act) -> Bulletin | Certificate:
    payload = act.recorded.statement.payload
    if not isinstance(payload, Bulletin | Certificate):
        raise TypeError(type(payload))
    return payload


def _effect(say: Say, act: Act) -> str:
    if act.effective is not None:
        return say("in effect")
    return say.several(
        "signed by {signed} of {n} officer", "signed by {signed} of {n} officers", act.needed, signed=len(act.signed)
    )


def _page(pages: Pages, path: str, act: Act, receipt: bytes) -> SiteFile:
    view, say = pages.view, pages.say
    stated, index = _payload(act), act.recorded.index
    layer = "certified" if isinstance(stated, Certificate) else stated.layer
    calls = {call.contest: call for call in stated.calls} if isinstance(stated, Bulletin) else {}
    facts = [
        (say("Layer"), say.later(words.LAYERS[layer])),
        (say("Signed on"), say.time(stated.time)),
        (say("Log entries counted"), say.number(stated.size)),
        (say("Root of the log there"), code(stated.root.hex())),
        (say("Hash of the results tables"), code(stated.results.hex())),
        (say("Signed by"), say.listed([code(issuer) for issuer in act.signed])),
        (say("Effect"), _effect(say, act)),
        (say("Log entry"), say.number(index)),
        (say("Statement"), code(act.recorded.statement.hash.hex())),
    ]
    if act.refused:
        facts.insert(6, (say("Refused by"), say.listed([code(issuer) for issuer in act.refused])))
    return pages.render(
        "bulletin.html",
        path,
        _title(say, stated),
        crumbs=[(INDEX, say("Bulletins"))],
        layer=layer,
        layer_label=say.later(words.LAYERS[layer]),
        contests=[_contest(pages, result, calls.get(result.contest)) for result in stated.contests],
        facts=facts,
        proof=Proof(index, b64encode(view.record.entry(index)).decode(), b64encode(receipt).decode(), "bulletin"),
    )


def _contest(pages: Pages, result: ContestResult, call: ContestCall | None) -> _StatedContest:
    view, say = pages.view, pages.say
    number = view.election.contest_index.get(result.contest)
    if number is None or len(result.votes) != len(view.election.contests[number].options):
        return _StatedContest(say.name(result.contest), unknown=True)
    contest = view.election.contests[number]
    return _StatedContest(
        title=say.name(contest.title),
        rows=tuple((say.name(option.name), votes) for option, votes in zip(contest.options, result.votes, strict=True)),
        blank=known(say, result.blank),
        null=known(say, result.null),
        ballots=say.number(result.ballots),
        facts=(*_outcome(say, contest, result), *_progress(pages, result)),
        call="" if call is None else Markup(stated_call(pages, call)),  # noqa: S704 - HTML already
    )


def _outcome(say: Say, contest: Contest, result: ContestResult) -> Iterator[tuple[str, str]]:
    """Who holds the places, who would go into a run-off and who is level, where there are such."""
    names = {candidate.id: say.name(candidate.name) for candidate in contest.standing()}

    def named(ids: tuple[str, ...]) -> str:
        return say.listed([names.get(own, say.name(own)) for own in ids])

    if result.tied:
        yield say("Level"), named(result.tied)
    if result.runoff:
        yield say("Run-off"), named(result.runoff)
    held = tuple(dict.fromkeys(result.elected))
    if held and contest.rule in LIST_RULES:
        yield (
            say("Seats"),
            say.listed(
                [say("{list}: {seats}", list=names.get(own, say.name(own)), seats=result.elected.count(own)) for own in held]
            ),
        )
    elif held:
        yield say("In front"), named(held)


def _progress(pages: Pages, result: ContestResult) -> Iterator[tuple[str, str]]:
    say = pages.say
    yield say("Stations"), say.number(result.stations)
    yield say("Counted"), say.number(result.counted)
    yield say("In quarantine"), say.number(result.quarantined)
    yield say("Excluded"), say.number(result.excluded)
    yield say("Outstanding"), say.number(result.outstanding)
    yield say("Ballots still open, at most"), known(say, result.open_ballots)
    if result.margin is not None:
        yield say("Margin"), say.several("{n} vote", "{n} votes", result.margin)
    yield say("Could it still change then?"), say("yes") if result.changeable else say("no")
