"""What officers decide about, as drafts: the next bulletin, and a decision on a station's sheets."""

from collections.abc import Mapping
from typing import Final

from scrutineer.calls import bulletin_calls
from scrutineer.control.night import Night
from scrutineer.control.proposals import Draft, Proposal
from scrutineer.count import Count, make_bulletin
from scrutineer.count.columns import BLANK, CAST, NULL, ROLL, VOTERS
from scrutineer.count.sheet_record import SheetRecord
from scrutineer.election import UNKNOWN
from scrutineer.errors import ControlError, StatementError
from scrutineer.language import msg
from scrutineer.statements import Bulletin, Decision, Figures, SigningKey, statement_hash
from scrutineer.statements.kinds import Layer
from scrutineer.statements.tally_sheet import MAX_COUNT

OTHER_FIGURES: Final = (
    ("blank", BLANK),
    ("null", NULL),
    ("cast", CAST),
    ("voters", VOTERS),
    ("roll", ROLL),
)
"""The figures of a sheet besides its options, with their places."""


def next_bulletin(night: Night, now: int, layer: Layer = "preliminary") -> Bulletin:
    """The bulletin that the count allows now. The night has to be held meanwhile. Raises ControlError while it is read."""
    if not night.ready:
        raise ControlError(msg("the log is still being read: wait a moment"))
    count = night.count
    return make_bulletin(count, night.root(), number=len(count.bulletins) + 1, time=now, layer=layer, calls=bulletin_calls(count))


def bulletin_draft(bulletin: Bulletin, count: Count) -> Draft:
    """A bulletin as it is frozen; what has to be typed is the number of counted stations of its first contest."""
    return Draft.freeze(bulletin, str(bulletin.contests[0].counted), basis_of(bulletin, count))


def decision_draft(decision: Decision, count: Count) -> Draft:
    """A decision as it is frozen; what has to be typed is the station's id."""
    return Draft.freeze(decision, decision.station, basis_of(decision, count))


def basis_of(act: Bulletin | Decision, count: Count) -> str:
    """What an act rests on, in a short text that changes when that does: a draft that rests on something else is stale."""
    if isinstance(act, Bulletin):
        return f"bulletins {len(count.bulletins)}"
    contest = count.contests[count.election.contest_index[act.contest]]
    station = count.election.units.station_index[act.station]
    sheets = ",".join(str(sheet.index) for sheet in contest.sheets_of(station))
    return f"status {int(contest.status[station])}, sheets {sheets}, decision {contest.decided.get(station, '')}"


def obsolete(proposal: Proposal, count: Count, keys: Mapping[str, SigningKey]) -> str:
    """Why these officers may not sign a proposal, or it may not be sent, as the count stands now; empty where they may."""
    act, known = proposal.draft.act(), count.accreditations
    if proposal.statements and statement_hash(proposal.statements[0]) in count.acts:
        return ""  # It is in the log already, and only the answer was lost.
    unit = "" if isinstance(act, Bulletin) else act.station
    for officer, key in keys.items():
        signer = known.match(officer, key.kid, key.algorithm)
        if signer is None or known.is_revoked(officer, key.kid) or not known.speaks_for(signer, unit):
            return msg("your key may not sign this: it was revoked, or speaks for another place")
    return "" if basis_of(act, count) == proposal.draft.basis else msg("the count has changed under this draft: make a new one")


def decision_of(count: Count, contest: int, station: int, form: Mapping[str, str]) -> Decision:
    """The decision that a form asks for. Raises ControlError for a form that is not one decision."""
    state, election = count.contests[contest], count.election
    action, reason = form.get("action", ""), form.get("reason", "").strip()
    sheet = after = None
    if action in ("accept", "correct"):
        chosen = next((one for one in state.sheets_of(station) if str(one.index) == form.get("sheet")), None)
        if chosen is None:
            raise ControlError(msg("choose the sheet that is to count"))
        sheet = chosen.hash
        if action == "correct":
            after = _corrected(count, contest, chosen, form)
    elif action != "exclude":
        raise ControlError(msg("choose what is to become of the station's sheet"))
    if not reason:
        raise ControlError(msg("write the reason: it is published with the decision"))
    try:
        return Decision(
            election=election.hash,
            station=election.units.ids[int(election.units.station_units[station])],
            contest=election.contests[contest].id,
            action="exclude" if action == "exclude" else "correct" if after is not None else "accept",
            sheet=sheet,
            after=after,
            reason=reason,
        )
    except StatementError as error:
        raise ControlError(str(error)) from error


def _corrected(count: Count, contest: int, sheet: SheetRecord, form: Mapping[str, str]) -> Figures:
    terms = count.election.contests[contest]
    if terms.rule == "ranked":
        raise ControlError(msg("rankings cannot be corrected: accept a sheet, or exclude the station"))
    options = len(terms.options)
    before = [None if figure == UNKNOWN else figure for figure in sheet.figures.tolist()]
    counts = tuple(_figure(form.get(f"votes-{place}", ""), before[place]) for place in range(options))
    others = {name: _figure(form.get(name, ""), before[options + place]) for name, place in OTHER_FIGURES}
    if (*counts, *others.values()) == tuple(before):
        raise ControlError(msg("no figure differs from the sheet: accept it as it stands, or write the figures that hold"))
    return Figures(counts=counts, **others)


def _figure(text: str, before: int | None) -> int | None:
    """A figure as it was typed; what the sheet says where nothing was."""
    text = text.strip()
    if not text:
        return before
    if not text.isdecimal() or len(text) > 10 or int(text) > MAX_COUNT:
        raise ControlError(msg("a figure is not a whole number: write digits alone, or leave it as it is"))
    return int(text)
