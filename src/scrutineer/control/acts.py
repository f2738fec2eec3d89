"""The pages on which officers act: the next bulletin, drafts and what became of them, and decisions on stations."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import JSONResponse, RedirectResponse, Response

from scrutineer.control.drafts import OTHER_FIGURES
from scrutineer.control.pages import Pages
from scrutineer.control.proposals import Proposal
from scrutineer.control.views import CERTAIN, FIGURE_NAMES, Views
from scrutineer.control.web import Visit
from scrutineer.count import Count, contest_result
from scrutineer.election import Election
from scrutineer.election.contests import LIST_RULES
from scrutineer.errors import ControlError
from scrutineer.language import msg
from scrutineer.statements import Bulletin, ContestResult, Decision
from scrutineer.statements.contest_call import ContestCall
from scrutineer.statements.kinds import Layer

LAYERS: dict[Layer, str] = {"preliminary": msg("Preliminary count"), "official": msg("Official count")}


@dataclass(frozen=True, slots=True)
class OptionRow:
    """An option of a contest in a bulletin: its votes, and those of the bulletin before."""

    name: str
    votes: int
    before: int | None


@dataclass(frozen=True, slots=True)
class ContestTable:
    """A contest of a bulletin, beside the bulletin before."""

    title: str
    rows: tuple[OptionRow, ...]
    """Most votes first."""
    result: ContestResult
    before: ContestResult | None
    verdict: str
    """What the call says; empty where the bulletin carries none."""
    elected: tuple[str, ...]
    runoff: tuple[str, ...]
    list_rule: bool


class Acts:
    """The handlers of these pages."""

    def __init__(self, pages: Pages, views: Views) -> None:
        self._pages = pages
        self._views = views

    def bulletin(self, visit: Visit) -> Response:
        """What the next bulletin would say now, and how it differs from the last."""
        room, face = visit.room, self._pages.face(visit)
        with room.night.hold() as count:
            if not room.night.ready:
                raise ControlError(msg("the log is still being read: wait a moment"))
            # The bulletin itself also hashes the table of all units, which takes long in a large country.
            results = tuple(contest_result(count, contest) for contest in range(len(count.contests)))
            last, size = last_bulletin(count), count.size
            calls = [self._views.call(room, count, contest, face) for contest in range(len(count.contests))]
            when = room.night.when(count.bulletins[-1].index) if count.bulletins else 0
        return self._pages.page(
            visit,
            "bulletin.html",
            face.say("Next bulletin"),
            live=True,
            coming=len(count.bulletins) + 1,
            size=size,
            last=last,
            last_time=when,
            tables=contest_tables(room.election, results, (), last),
            calls=calls,
            layers=LAYERS,
            needed=max(2, room.election.definition.needed("bulletin")),
            held=len(room.machine.held()),
        )

    def freeze_bulletin(self, visit: Visit) -> Response:
        """Freeze the next bulletin as it is now."""
        layer: Layer = "official" if visit.form.get("layer") == "official" else "preliminary"
        proposal = visit.room.freeze_bulletin(visit.officer, layer)
        return RedirectResponse(f"/acts/{proposal.id}", 303)

    def freeze_decision(self, visit: Visit) -> Response:
        """Freeze a decision on a station; a form that is not one is shown again with what is wrong."""
        contest, station = self._views.place(visit)
        try:
            proposal = visit.room.freeze_decision(visit.officer, contest, station, visit.form)
        except ControlError as error:
            return self._views.station(visit, str(error), dict(visit.form))
        return RedirectResponse(f"/acts/{proposal.id}", 303)

    def list(self, visit: Visit) -> Response:
        """All drafts that were proposed, the newest first."""
        room, face = visit.room, self._pages.face(visit)
        return self._pages.page(
            visit,
            "acts.html",
            face.say("Drafts"),
            live=True,
            proposals=room.proposals.newest_first()[:100],
            names={one.id: self.title(visit, one) for one in room.proposals.newest_first()[:100]},
            sending=room.sending,
        )

    def show(self, visit: Visit) -> Response:
        """One draft: exactly what is or was signed, who consented, and what can be done now."""
        room = visit.room
        proposal = room.find(visit.request.path_params["proposal"])
        act = proposal.draft.act()
        with room.night.hold() as count:
            last = previous_bulletin(count, act) if isinstance(act, Bulletin) else None
        return self._pages.page(
            visit,
            "act.html",
            self.title(visit, proposal),
            live=True,
            proposal=proposal,
            state=proposal.state(room.clock()),
            act=act,
            last=last,
            bulletin=act if isinstance(act, Bulletin) else None,
            decision=act if isinstance(act, Decision) else None,
            tables=contest_tables(room.election, act.contests, act.calls, last) if isinstance(act, Bulletin) else [],
            corrected=corrected(room.election, act) if isinstance(act, Decision) else [],
            place=None if isinstance(act, Bulletin) else room.election.units.position(act.station),
            contest_title=None
            if isinstance(act, Bulletin)
            else room.election.contests[room.election.contest_index[act.contest]].title,
            layers=LAYERS,
            sending=room.sending,
            mine=visit.officer in proposal.officers,
        )

    def options(self, visit: Visit) -> Response:
        """What the browser needs to ask for a passkey, once the right thing was typed."""
        proposal = visit.request.path_params["proposal"]
        return JSONResponse(visit.room.consent_options(proposal, visit.officer, visit.text("word")))

    def consent(self, visit: Visit) -> Response:
        """Propose or confirm."""
        answer = visit.json.get("answer")
        if not isinstance(answer, dict):
            raise ControlError(msg("the browser's answer cannot be read: try again"))
        proposal = visit.room.consent(visit.request.path_params["proposal"], visit.officer, visit.text("word"), answer)
        return JSONResponse({"to": f"/acts/{proposal.id}"})

    def withdraw(self, visit: Visit) -> Response:
        """Take a proposal back, or refuse to confirm it."""
        proposal = visit.room.withdraw(visit.request.path_params["proposal"], visit.officer, visit.form.get("reason", ""))
        return RedirectResponse(f"/acts/{proposal.id}", 303)

    def title(self, visit: Visit, proposal: Proposal) -> str:
        """What a draft is called."""
        say, act = self._pages.face(visit).say, proposal.draft.act()
        if isinstance(act, Bulletin):
            return say("Bulletin {n}", n=act.number)
        units = visit.room.election.units
        return say("Decision on {station}", station=say.name(units.names[units.position(act.station)]))


def last_bulletin(count: Count) -> Bulletin | None:
    """The newest bulletin of the log."""
    payload = count.bulletins[-1].statement.payload if count.bulletins else None
    return payload if isinstance(payload, Bulletin) else None


def previous_bulletin(count: Count, act: Bulletin) -> Bulletin | None:
    """The newest bulletin of the log that came before one."""
    known = [recorded.statement.payload for recorded in count.bulletins]
    return next((one for one in reversed(known) if isinstance(one, Bulletin) and one.number < act.number), None)


def contest_tables(
    election: Election, results: Sequence[ContestResult], calls: Sequence[ContestCall], last: Bulletin | None
) -> list[ContestTable]:
    """The contests of a bulletin, each beside what the last one said."""
    before = {} if last is None else {result.contest: result for result in last.contests}
    verdicts = {call.contest: CERTAIN[call.verdict] for call in calls}
    tables = []
    for result in results:
        terms = election.contests[election.contest_index[result.contest]]
        old = before.get(result.contest)
        names = {candidate.id: candidate.name for candidate in terms.standing()}
        rows = [
            OptionRow(option.name, votes, None if old is None else old.votes[place])
            for place, (option, votes) in enumerate(zip(terms.options, result.votes, strict=True))
        ]
        tables.append(
            ContestTable(
                terms.title,
                tuple(sorted(rows, key=lambda row: -row.votes)),
                result,
                old,
                verdicts.get(result.contest, ""),
                tuple(names[one] for one in result.elected),
                tuple(names[one] for one in result.runoff),
                terms.rule in LIST_RULES,
            )
        )
    return tables


def corrected(election: Election, decision: Decision) -> list[tuple[str, str, int | None]]:
    """The figures that a decision puts in place: the option, or a message that names the figure, and the number."""
    if decision.after is None:
        return []
    terms = election.contests[election.contest_index[decision.contest]]
    votes = [(option.name, "", count) for option, count in zip(terms.options, decision.after.counts, strict=True)]
    return votes + [("", FIGURE_NAMES[figure], getattr(decision.after, figure)) for figure, _ in OTHER_FIGURES]
