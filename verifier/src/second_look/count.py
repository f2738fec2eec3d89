"""Which sheet counts at each station, and totals (docs/formats.md, "Counting"). Follows the log entry by entry."""

from dataclasses import dataclass, field
from typing import Any

from second_look.election import Election
from second_look.policy import Act, Policy
from second_look.report import FormatError
from second_look.rules import FIXED, OWN_SEVERITIES, Sheet, adds_up, failed, first_preferences, is_early
from second_look.statements import Statement

RULE_ORDER = list(OWN_SEVERITIES)


@dataclass
class Place:
    """One station in one contest."""

    status: str = "outstanding"
    shown: Sheet | None = None
    """The sheet whose figures stand for the station."""
    counts: list[int | None] = field(default_factory=list)
    figures: tuple[int | None, ...] = (None,) * 5
    """The figures that stand: the shown sheet's, or those of a decision that corrects it."""
    corrected: bool = False
    flags: set[str] = field(default_factory=set)
    sheets: list[Sheet] = field(default_factory=list)
    decided: bool = False


_STATUSES = ("counted", "quarantined", "excluded", "outstanding")


def _add(into: dict[str, Any], own: dict[str, Any]) -> None:
    """Add the totals of a part."""
    for key in ("stations", *_STATUSES, "ballots"):
        into[key] += own[key]
    into["votes"] = [left + right for left, right in zip(into["votes"], own["votes"], strict=True)]
    for key in ("roll", "open_ballots"):  # unknown as soon as one is
        into[key] = None if into[key] is None or own[key] is None else into[key] + own[key]
    for key in ("blank", "null", "voters"):  # unknown only where nobody states it
        into[key] = into[key] if own[key] is None else (into[key] or 0) + own[key]


class Count:
    """The count of an election after a prefix of its log."""

    def __init__(self, election: Election) -> None:
        self.election = election
        self.policy = Policy(election)
        severities = election.severities(OWN_SEVERITIES)
        if severities.keys() - OWN_SEVERITIES.keys() or any(severities[rule] != "error" for rule in FIXED):
            raise FormatError("the definition changes a rule that does not exist, or one that is fixed")
        self.errors = {rule for rule, severity in severities.items() if severity == "error"}
        self.on = {rule for rule, severity in severities.items() if severity != "off"}
        self.places = {
            contest: {station: Place() for station in election.stations if election.votes_in(station, contest)}
            for contest in election.contests
        }
        self.opened: dict[str, int] = {}
        self.required = bool(election.definition["opening_required"])

    def apply(self, index: int, statement: Statement) -> None:
        """Take the next statement of the log, which the policy has admitted."""
        payload = statement.payload
        for act in self.policy.follow(index, statement):
            if act.statement.kind == "decision":
                self._decide(act)
            else:
                self._accredit(act)
        if statement.kind == "tally-sheet":
            self._take(index, statement)
        elif (
            statement.kind == "station-opened" and payload["station"] not in self.opened and not self.policy.is_revoked(statement)
        ):
            self._open(payload["station"], payload["time"])

    # Sheets.

    def _take(self, index: int, statement: Statement) -> None:
        payload = statement.payload
        station, contest = payload[2], self.election.contests[payload[3]]
        counts = payload[4] if contest["rule"] != "ranked" else first_preferences(payload[13], len(contest["options"]))
        figures = tuple(payload[key] for key in (5, 6, 7, 8, 9))
        sheet = Sheet(index, statement.hash, statement.kid, counts, figures, payload[10], payload[12], payload[13])
        sheet.flags = failed(contest, sheet, self.election.stations[station].roll)
        if is_early(sheet, self.opened.get(station), self.required):
            sheet.flags.add("before-opening")
        if self.policy.is_revoked(statement):
            sheet.flags.add("revoked-key")
        sheet.flags &= self.on
        place = self.places[contest["id"]][station]
        others, place.sheets = place.sheets, [*place.sheets, sheet]
        if not others:
            self._show(place, sheet)
            if place.status != "excluded":
                self._judge(place)
        elif not self._is_held(sheet):
            self._compare(place, others, sheet)

    def _is_held(self, sheet: Sheet) -> bool:
        return "revoked-key" in sheet.flags & self.errors

    def _compare(self, place: Place, others: list[Sheet], sheet: Sheet) -> None:
        """A further sheet: the first that is not held is shown, the same again changes nothing, and another is a conflict."""
        accepted = place.shown if place.decided and place.status == "counted" else None
        known = [other for other in others if not self._is_held(other) or other is accepted]
        if not known:
            self._show(place, sheet)
            if not place.decided:
                self._judge(place)
            return
        # Which ballot records are named by those that state the same figures; None where one names none.
        named = [other.records for other in known if other.says() == sheet.says()]
        if place.decided and place.shown is not None and (place.counts, place.figures, None) == sheet.says():
            named.append(place.shown.records)
        if named and (sheet.records in (None, *named) or set(named) == {None}):
            place.flags |= {"duplicate"} & self.on
            if "duplicate" in self.errors and not place.decided:
                place.status = "quarantined"
            return
        place.flags.add("conflict")
        place.decided = False
        place.status = "quarantined"

    def _show(self, place: Place, sheet: Sheet) -> None:
        place.shown, place.counts, place.figures, place.corrected = sheet, sheet.counts, sheet.figures, False
        place.flags = set(sheet.flags)

    def _judge(self, place: Place) -> None:
        place.status = "quarantined" if place.flags & self.errors else "counted"

    def _open(self, station: str, time: int) -> None:
        """A station's first opening: its sheets are judged again by it. What was decided stays decided."""
        self.opened[station] = time
        for places in self.places.values():
            place = places.get(station)
            if place is None or place.shown is None:
                continue
            for flags, sheet in [(sheet.flags, sheet) for sheet in place.sheets] + [(place.flags, place.shown)]:
                flags.discard("before-opening")
                if is_early(sheet, time, self.required) and "before-opening" in self.on:
                    flags.add("before-opening")
            if not place.decided:
                self._judge(place)

    # Acts.

    def _decide(self, act: Act) -> None:
        payload = act.statement.payload
        place = self.places[payload["contest"]][payload["station"]]
        if payload["action"] == "exclude":
            place.status, place.decided = "excluded", True
            return
        sheet = next((sheet for sheet in place.sheets if sheet.hash == payload["sheet"]), None)
        after = payload["after"]
        if sheet is None or (after is not None and self.election.contests[payload["contest"]]["rule"] == "ranked"):
            return
        self._show(place, sheet)
        if after is not None:
            place.counts, place.corrected = after["counts"], True
            place.figures = tuple(after[key] for key in ("blank", "null", "cast", "voters", "roll"))
        place.status, place.decided = "counted", True

    def _accredit(self, act: Act) -> None:
        revoked = self.policy.accredit(act)
        if revoked is None or not revoked[0].startswith("station/") or "key-revoked-later" not in self.on:
            return
        station, kid = revoked[0].partition("/")[2], revoked[1]
        for places in self.places.values():
            place = places.get(station)
            if place is None or place.shown is None:
                continue
            for sheet in place.sheets:
                if sheet.kid == kid and "revoked-key" not in sheet.flags:
                    sheet.flags.add("key-revoked-later")
            if place.shown.kid == kid and "revoked-key" not in place.flags:
                place.flags.add("key-revoked-later")
                if "key-revoked-later" in self.errors and not place.decided:
                    place.status = "quarantined"

    # Totals.

    def rules_of(self, place: Place) -> str:
        """The rules that a station's sheet fails, errors first, as stations.csv lists them."""
        return " ".join(sorted(place.flags, key=lambda rule: (rule not in self.errors, RULE_ORDER.index(rule))))

    def totals(self, contest: str) -> dict[str, dict[str, Any]]:
        """Totals of every unit above the stations; None where a figure is unknown."""
        options = len(self.election.contests[contest]["options"])
        zero = ("stations", *_STATUSES, "roll", "ballots", "open_ballots")
        found: dict[str, dict[str, Any]] = {
            unit: dict.fromkeys(zero, 0) | {"votes": [0] * options, "blank": None, "null": None, "voters": None}
            for unit in self.election.inner
        }
        for station, place in self.places[contest].items():
            own = self._contribution(contest, station, place) | dict.fromkeys(_STATUSES, 0) | {"stations": 1, place.status: 1}
            _add(found[self.election.parents[station]], own)
        for unit in reversed(self.election.inner):  # every unit stands before those below it
            if self.election.parents[unit]:
                _add(found[self.election.parents[unit]], found[unit])
        return found

    def _contribution(self, contest: str, station: str, place: Place) -> dict[str, Any]:
        options = len(self.election.contests[contest]["options"])
        roll = self.election.stations[station].roll
        own: dict[str, Any] = {"votes": [0] * options, "ballots": 0, "blank": None, "null": None, "voters": None}
        own["open_ballots"] = roll if place.status in ("outstanding", "quarantined") else 0
        own["roll"] = place.figures[4] if roll is None and place.status != "outstanding" else roll
        if place.status == "counted":
            blank, null, cast, voters, _ = place.figures
            own |= {"votes": [count or 0 for count in place.counts], "blank": blank, "null": null, "voters": voters}
            if cast is not None:
                own["ballots"] = cast
            elif adds_up(self.election.contests[contest]):
                own["ballots"] = sum(own["votes"]) + (blank or 0) + (null or 0)
        return own
