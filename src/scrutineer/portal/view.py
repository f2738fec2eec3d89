"""What several pages need of a record, worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from scrutineer.count import Act, Standing, UnitResult, contest_result, results_table, standing, tables_hash
from scrutineer.election import Contest
from scrutineer.election.shapes import Shapes, read_shapes
from scrutineer.language import msg
from scrutineer.log.checkpoint import HeadLines
from scrutineer.log.note import parse_note
from scrutineer.log.quorum import Cosigners, Quorum, find_cosigners
from scrutineer.observation import Observations
from scrutineer.portal.audited import Audits, audits_of
from scrutineer.portal.called import Called, called
from scrutineer.portal.changes import upper_units
from scrutineer.portal.claimed import Claimed, examined
from scrutineer.portal.formats import MISSING_PAGE
from scrutineer.portal.history import Regions, regions
from scrutineer.portal.maps import Drawings
from scrutineer.portal.places import Places, snapshot_page
from scrutineer.portal.record import MOST_TRANSLATED_SNAPSHOTS, Record
from scrutineer.portal.text import words
from scrutineer.statements import Bulletin, Certificate, Decision


@dataclass(frozen=True, slots=True)
class ShareBase:
    """What the shares of a contest are shares of."""

    ballots: int
    label: str


class View:
    """A record with everything that is worked out for all of it."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.election = record.election
        self.count = record.count
        self.units = record.election.units
        later = record.snapshots[MOST_TRANSLATED_SNAPSHOTS:]
        self.places = Places(
            record.election,
            record.options.pages,
            record.options.translated,
            frozenset((MISSING_PAGE, *(snapshot_page(snapshot.head.size) for snapshot in later))),
        )
        self.count.prepare()
        self.standings: list[Standing] = [standing(self.count, number) for number in range(len(self.count.contests))]
        self.candidate_names = [[Markup(words(c.name)) for c in contest.standing()] for contest in self.election.contests]  # noqa: S704
        self._of_option = [contest.candidate_of_option() for contest in self.election.contests]
        self.inner = frozenset(self.units.index.values())
        """Positions of the units that are not stations."""
        self.results_tables = [results_table(self.count, number) for number in range(len(self.count.contests))]
        self.act_at: dict[int, Act] = {act.recorded.index: act for act in self.count.acts.values()}
        self.decisions: dict[tuple[str, str], list[Act]] = {}
        """Every decision on a station's sheet for a contest, by their ids, in log order; in effect or not."""
        for act in self.count.acts.values():
            payload = act.recorded.statement.payload
            if isinstance(payload, Decision):
                self.decisions.setdefault((payload.station, payload.contest), []).append(act)
        self.layer = self._layer()
        self.bulletins = self._bulletins()

    @cached_property
    def regions(self) -> Regions:
        """By contest, the units by which its progress is told."""
        return regions(self.election)

    @cached_property
    def claimed(self) -> list[Claimed]:
        """Every quoted announcement, examined."""
        return examined(self.count)

    @cached_property
    def audits(self) -> Audits:
        """Every audit with a registered plan."""
        return audits_of(self.count, self.record.audits)

    @cached_property
    def called(self) -> list[Called | None]:
        """The call on each contest at the size of the log."""
        return [called(self.count, number) for number in range(len(self.count.contests))]

    @cached_property
    def observations(self) -> Observations:
        """What agents, observers, poll workers and others have said of the sheets."""
        return Observations.of(self.count)

    @cached_property
    def cosigners(self) -> Cosigners | None:
        """Who of the election's witnesses has cosigned the head that is shown; None where the definition names no witnesses."""
        policy = self.election.definition.witnesses
        if policy is None:
            return None
        return find_cosigners(self.record.checkpoint, Quorum.from_policy(policy, self.record.verifier))

    @cached_property
    def pending(self) -> int | None:
        """Entries at a newer head that waits for its witnesses; None where there is none."""
        note = self.record.pending
        return None if note is None else HeadLines.parse(parse_note(note).text).size

    @cached_property
    def children(self) -> list[list[int]]:
        """The units directly below every unit; the sites of large elections show none of them."""
        return self.units.children_lists()

    @cached_property
    def upper(self) -> frozenset[int]:
        """The units of the upper levels, whose pages may show figures of the whole country."""
        return frozenset(upper_units(self.units))

    @cached_property
    def shapes(self) -> Shapes:
        """The shapes of units for maps; none where the definition names none."""
        table = self.record.shapes_table
        return Shapes({}, {}) if table is None else read_shapes(table, self.units)

    @cached_property
    def drawings(self) -> Drawings:
        """The drawings of units."""
        return Drawings(self.shapes, self.children)

    def page_of(self, unit: int) -> str:
        """The page of a unit or station, by position; the page of the unit it lies in, or the data, where it has none."""
        if self.record.options.pages == "none":
            return self.places.contest(self.election.contests[0].id, "results.csv" if unit in self.inner else "stations.csv")
        if unit in self.inner:
            return self.places.unit(unit)
        parent = int(self.units.parent[unit])
        return self.places.station(unit) or (self.places.unit(parent) if parent >= 0 else "index.html")

    def by_candidate(self, contest: int, votes: Sequence[int]) -> list[int]:
        """Votes per candidate from votes per option."""
        total = [0] * len(self.candidate_names[contest])
        for candidate, own in zip(self._of_option[contest], votes, strict=True):
            total[candidate] += own
        return total

    def options_of(self, contest: int, candidate: int) -> list[int]:
        """The options (by position) of a candidate."""
        return [option for option, of in enumerate(self._of_option[contest]) if of == candidate]

    def contests_in(self, unit: int) -> list[int]:
        """The contests (by position) that stations of a unit vote in."""
        units = self.units
        first, last = int(units.first_station[unit]), int(units.last_station[unit])
        return [
            number
            for number, of in enumerate(self.election.contest_units)
            if units.first_station[of] < last and first < units.last_station[of]
        ]

    def _bulletins(self) -> list[tuple[str, Act]]:
        """The paths of bulletins and certificates, in log order; a number that is used again is told apart by log index."""
        stated: list[tuple[str, Act]] = []
        used: set[int] = set()
        for index, act in sorted(self.act_at.items()):
            payload = act.recorded.statement.payload
            if isinstance(payload, Certificate):
                stated.append((f"bulletins/certificate-{index}.html", act))
            elif isinstance(payload, Bulletin):
                name = f"{payload.number}~{index}" if payload.number in used else f"{payload.number}"
                used.add(payload.number)
                stated.append((f"bulletins/{name}.html", act))
        return stated

    def _layer(self) -> str:
        """Which layer these totals belong to: the highest that an act in effect gives to exactly these totals."""
        stated = [
            act.recorded.statement.payload
            for act in self.count.acts.values()
            if act.effective is not None and isinstance(act.recorded.statement.payload, Bulletin | Certificate)
        ]
        if not stated:
            return "preliminary"
        contests = tuple(contest_result(self.count, number) for number in range(len(self.count.contests)))
        digest = tables_hash(self.results_tables)
        same = [payload for payload in stated if payload.contests == contests and payload.results == digest]
        if any(isinstance(payload, Certificate) for payload in same):
            return "certified"
        return "official" if any(isinstance(p, Bulletin) and p.layer == "official" for p in same) else "preliminary"


def base_of(contest: Contest, result: UnitResult) -> ShareBase:
    """What a contest's shares are taken of: valid votes or ballots, or all ballots cast where its rule says so."""
    blank, null = result.blank or 0, result.null or 0
    if contest.single_choice() or contest.rule == "ranked":
        if contest.base == "cast":
            return ShareBase(result.valid + blank + null, msg("ballots cast"))
        return ShareBase(result.valid, msg("valid votes"))
    return ShareBase(result.ballots - blank - null, msg("valid ballots"))
