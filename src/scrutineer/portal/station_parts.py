"""What only some stations have on their pages: failed rules, decisions, countersignatures, and others' copies of the sheet.

The wording takes no side: a copy that reads otherwise says nothing about which of the two is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from markupsafe import Markup

from scrutineer.count import RULE_IDS, Act, rule
from scrutineer.count.contest import ContestCount
from scrutineer.election import UNKNOWN, Contest
from scrutineer.language import HtmlSay, msg
from scrutineer.observation import Copy, Countersignature, StationObservations
from scrutineer.portal import words
from scrutineer.portal.images import image_path
from scrutineer.portal.pages import Pages
from scrutineer.portal.people import named, officer
from scrutineer.statements import Decision, Figures

FIGURE_NAMES: Final = (
    ("blank", msg("Blank votes")),
    ("null", msg("Null votes")),
    ("cast", msg("Ballots in the box")),
    ("voters", msg("Voters who came to vote")),
    ("roll", msg("Registered voters")),
)
"""The figures behind the options' votes in a row of figures: the name in the page's data, and what readers call them."""

_KEY_NOTES: Final = {
    "valid": "",
    "revoked-before": msg("Signed with a key that had been revoked before; it confirms and contradicts nothing."),
    "revoked-later": msg("The key that signed this was revoked afterwards."),
}


_COPIES: Final = 40
"""Copies of a sheet that a page shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that the sheet does not meet."""

    rule: str
    severity: str
    label: str
    wording: str


@dataclass(frozen=True, slots=True)
class Change:
    """A figure as two sources have it. Texts are HTML."""

    label: Markup
    first: Markup
    second: Markup


@dataclass(frozen=True, slots=True)
class DecisionPart:
    """A decision on the station's sheet, in words."""

    sentence: str
    state: str
    in_effect: bool
    index: int
    officers: str
    refused: str
    reason: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class SignaturePart:
    """Somebody's signature under the sheet, or refusal."""

    who: Markup
    index: int
    sheet: int
    """Log entry of the sheet, where the station sent several; else -1."""
    reason: str
    notes: tuple[str, ...]


class Picture(NamedTuple):
    """An image of paper."""

    digest: str
    path: str
    """Where it lies on the site; empty where it is not published."""
    shown: bool
    """Whether a page can show it; a PDF is linked."""


@dataclass(frozen=True, slots=True)
class CopyPart:
    """Somebody's own copy of the sheet, held against it."""

    who: Markup
    index: int
    state: str
    sentence: str
    changes: tuple[Change, ...]
    """The figures that differ; of a station without a sheet, all figures of the copy."""
    notes: tuple[str, ...]
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class ObservedPart:
    """What others than the station have signed of its sheets."""

    signed: tuple[SignaturePart, ...]
    refused: tuple[SignaturePart, ...]
    copies: tuple[CopyPart, ...]
    left_out: int
    """How many more copies there are, which the page only counts."""
    summary: str


class ContestWords:
    """What the stations of a contest share."""

    def __init__(self, pages: Pages, contest: Contest, labels: Sequence[Markup]) -> None:
        self.title = pages.say.name(contest.title)
        options = len(contest.options)
        firsts = [row == options for row in range(options + len(FIGURE_NAMES))]
        names = [*(f"votes:{option.id}" for option in contest.options), *(name for name, _ in FIGURE_NAMES)]
        self.rows = list(zip(firsts, labels, names, strict=True))
        self.columns: tuple[str, ...] = (pages.say("First preferences") if contest.rule == "ranked" else pages.say("Votes"),)


class Parts:
    """Puts these parts together in one language."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.say: HtmlSay = pages.say
        self._count = pages.view.count
        names = [pages.say.later(label) for _, label in FIGURE_NAMES]
        self._labels = [[*(pages.say.name(option.name) for option in c.options), *names] for c in pages.view.election.contests]

    def labels(self, contest: int) -> list[Markup]:
        """What the figures of a contest are called: its options, then the others."""
        return self._labels[contest]

    def stated(self, value: int) -> Markup:
        """A figure, or that it is not stated."""
        if value < 0:
            return Markup('<span class="no">{}</span>').format(self.say("not stated"))
        return Markup(self.say.number(value))  # noqa: S704 - digits and their separators

    def picture(self, digest: bytes | None) -> Picture | None:
        """An image that a statement names; None where it names none."""
        if digest is None:
            return None
        image = self._pages.view.record.images.get(digest)
        return (
            Picture(digest.hex(), "", shown=False)
            if image is None
            else Picture(digest.hex(), image_path(digest, image), image.shown)
        )

    # --- rules --------------------------------------------------------------------------------------------------------

    def findings(self, flags: int) -> tuple[Finding, ...]:
        """The rules that a sheet does not meet, errors first."""
        book = self._count.book
        found = []
        for rule_id in book.names(flags):
            severity = book.severities[RULE_IDS.index(rule_id)]
            label = self.say.later(words.FINDING_WORDS[severity])
            found.append(Finding(rule_id, severity, label, self.say.later(rule(rule_id).wording)))
        return tuple(found)

    def rules(self, flags: int, *, complete: bool) -> str:
        """How many rules were looked at, and how many are met. `complete` says whether the sheet states every figure."""
        say, book = self.say, self._count.book
        looked, failed = book.on.bit_count(), len(book.names(flags))
        if failed:
            said = say.several(
                "{met} of {n} rule is met.", "{met} of {n} rules are met.", looked, met=say.number(max(0, looked - failed))
            )
        else:
            said = say.several("The {n} rule is met.", "All {n} rules are met.", looked)
        if complete:
            return said
        return said + Markup(" ") + say("Rules about a figure that the sheet does not state have nothing to compare.")

    # --- decisions ----------------------------------------------------------------------------------------------------

    def decisions(self, state: ContestCount, station: int, acts: Sequence[Act]) -> tuple[DecisionPart, ...]:
        """Every decision on a station's sheet in a contest, in log order."""
        in_effect = state.decided.get(station)
        return tuple(
            self._decision(state, station, act, act.recorded.statement.payload, in_effect=act.recorded.index == in_effect)
            for act in acts
            if isinstance(act.recorded.statement.payload, Decision)
        )

    def _decision(self, state: ContestCount, station: int, act: Act, decision: Decision, *, in_effect: bool) -> DecisionPart:
        say = self.say
        if in_effect:
            status = say("In effect")
        elif act.effective is None:
            status = say.several(
                "Signed by {signed} of {n} officer, not in effect",
                "Signed by {signed} of {n} officers, not in effect",
                act.needed,
                signed=say.number(len(act.signed)),
            )
        else:
            status = say("No longer in effect")
        changes: tuple[Change, ...] = ()
        sheet = next((sheet for sheet in state.sheets_of(station) if sheet.hash == decision.sheet), None)
        if decision.after is not None and sheet is not None:
            changes = self._changes(state.number, sheet.figures.tolist(), figures_of(state.contest, decision.after))
        return DecisionPart(
            say.later(words.ACTION_WORDS[decision.action]),
            status,
            in_effect,
            act.recorded.index,
            say.listed([officer(say, self._count, issuer) for issuer in act.signed]),
            say.listed([officer(say, self._count, issuer) for issuer in act.refused]),
            say.name(decision.reason),
            changes,
        )

    def _changes(self, contest: int, first: Sequence[int], second: Sequence[int]) -> tuple[Change, ...]:
        if len(first) != len(second):
            return ()
        return tuple(
            Change(label, self.stated(own), self.stated(other))
            for label, own, other in zip(self._labels[contest], first, second, strict=True)
            if own != other
        )

    # --- others -------------------------------------------------------------------------------------------------------

    def observed(self, contest: int, said: StationObservations, *, several: bool, corrected: bool) -> ObservedPart | None:
        """What others have signed; None where nobody has.

        `several` says whether the station sent more than one sheet, `corrected` whether other figures than a sheet's are in
        effect, which the copies are then held against.
        """
        if not said.countersignatures and not said.copies:
            return None
        signatures = [(one.verdict, self._signature(one, several=several)) for one in said.countersignatures]
        # Anybody accredited may sign copies, so that their number must not make the page heavy: those that differ come first.
        copies = sorted(said.copies, key=lambda copy: copy.state == "agrees")
        return ObservedPart(
            tuple(part for verdict, part in signatures if verdict == "sign"),
            tuple(part for verdict, part in signatures if verdict == "refuse"),
            tuple(self._copy(contest, copy) for copy in copies[:_COPIES]),
            max(0, len(copies) - _COPIES),
            self._summary(said.copies, corrected=corrected),
        )

    def _signature(self, one: Countersignature, *, several: bool) -> SignaturePart:
        notes = [self.say.later(_KEY_NOTES[one.key])] if one.key != "valid" else []
        if not one.in_scope:
            notes.append(self.say("This station lies outside the area that they were accredited for."))
        return SignaturePart(
            named(self.say, one.speaker),
            one.index,
            one.sheet if several else UNKNOWN,
            self.say.name(one.reason) if one.reason else "",
            tuple(notes),
        )

    def _summary(self, copies: Sequence[Copy], *, corrected: bool) -> str:
        """How the copies that stand compare with the sheet, in one sentence for each result."""
        say = self.say
        states = [copy.state for copy in copies if copy.stands]
        agree, differ, nothing = states.count("agrees"), states.count("differs"), states.count("nothing-to-compare")
        said = []
        if agree and corrected:
            said.append(
                say.several("{n} copy agrees with the figures in effect.", "{n} copies agree with the figures in effect.", agree)
            )
        elif agree:
            said.append(say.several("{n} copy agrees with the sheet.", "{n} copies agree with the sheet.", agree))
        if differ and corrected:
            said.append(
                say.several(
                    "{n} copy differs from the figures in effect.", "{n} copies differ from the figures in effect.", differ
                )
            )
        elif differ:
            said.append(say.several("{n} copy differs from the sheet.", "{n} copies differ from the sheet.", differ))
        if nothing:
            said.append(
                say.several(
                    "{n} copy states none of the sheet’s figures.", "{n} copies state none of the sheet’s figures.", nothing
                )
            )
        return Markup(" ").join(said)

    def _copy(self, contest: int, copy: Copy) -> CopyPart:
        say, labels = self.say, self._labels[contest]
        notes: list[str] = []
        if copy.key != "valid":
            notes.append(say.later(_KEY_NOTES[copy.key]))
        if copy.superseded:
            notes.append(say("A newer copy by the same sender stands in its place."))
        others = [index for index in copy.reads_as if index != copy.sheet]
        if copy.state == "differs" and others:
            listed = say.listed([say.number(index) for index in others])
            notes.append(say("It reads as another sheet of this station, log entry {entries}.", entries=listed))
        if copy.unstated:
            notes.append(
                say.several(
                    "It does not state {n} figure of the sheet.", "It does not state {n} figures of the sheet.", copy.unstated
                )
            )
        if copy.time is not None:
            notes.append(say("Copied from a sheet closed on {time}.", time=say.time(copy.time)))
        changes: tuple[Change, ...] = ()
        if copy.state == "no-sheet":
            sentence = say("This copy reads as follows; the station’s own sheet has not arrived.")
            changes = tuple(
                Change(label, self.stated(value), Markup())
                for label, value in zip(labels, copy.figures, strict=True)
                if value >= 0
            )
        elif copy.state == "agrees":
            sentence = say.several(
                "Agrees: the {n} figure that both state is the same.",
                "Agrees: all {n} figures that both state are the same.",
                copy.equal,
            )
        elif copy.state == "differs":
            sentence = say.several("Differs in {n} figure.", "Differs in {n} figures.", len(copy.differing))
            changes = tuple(Change(labels[one.figure], self.stated(one.copy), self.stated(one.sheet)) for one in copy.differing)
        else:
            sentence = say("It states none of the sheet’s figures.")
        return CopyPart(
            named(say, copy.speaker), copy.index, copy.state, sentence, changes, tuple(notes), self.picture(copy.image)
        )


def figures_of(contest: Contest, figures: Figures) -> list[int]:
    """Figures that a decision puts in place of a sheet's, as a row of figures; empty where they do not fit the contest."""
    if len(figures.counts) != len(contest.options):
        return []
    given = (*figures.counts, figures.blank, figures.null, figures.cast, figures.voters, figures.roll)
    return [UNKNOWN if value is None else value for value in given]
