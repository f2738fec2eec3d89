"""Replays Arlo's audits of single ballots: polling, comparison, and both in strata."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

from scrutineer.audits.cards.sources import Progress, silent
from scrutineer.audits.replay.arlo_batches import unlike
from scrutineer.audits.replay.arlo_draws import (
    BallotKey,
    ballot_tickets,
    chained,
    draw_ballot_rounds,
    key_of,
    reported_ballots,
)
from scrutineer.audits.replay.arlo_files import ArloFiles, ManifestBatch
from scrutineer.audits.replay.arlo_model import ArloReport, ReportedBallot, ReportedContest, ReportedRound
from scrutineer.audits.replay.arlo_risks import (
    ComparedBallot,
    bravo,
    hybrid,
    minerva,
    near,
    printed,
    providence,
    supersimple,
    with_not_found,
)
from scrutineer.audits.replay.checks import Check, compared, figure, guarded, impossible
from scrutineer.audits.replay.reading import names_in
from scrutineer.errors import AuditError

_NO_MANIFEST: Final = "the manifests of all jurisdictions are needed; give them after the report"
_NO_UNIVERSE: Final = "the report does not say in which jurisdictions it was held; give the file of standardized contests"
_BOUNDED: Final = (
    "SUITE's P-value is the greatest over all splits of the margin: Arlo searches for it, and here it is bounded from above."
)
_NO_BALLOTS: Final = "the report lists no sampled ballots, as where all are counted"
_INVALID: Final = "INVALID_WRITE_IN"
_FLOATING: Final = 1e-7
"""How far P-values may be apart, as a share, that are computed in floating point in another order than Arlo's."""
_SEARCHED: Final = 1e-3
"""Likewise for SUITE: Arlo searches for the greatest combination on a grid, and we bound it."""


@dataclass(frozen=True, eq=False)
class BallotReplay:
    """One report of an audit of ballots, with the files that were published beside it."""

    report: ArloReport
    files: ArloFiles
    progress: Progress = silent

    def checks(self) -> Iterator[tuple[Check, str]]:
        """Every check, each with a note on what was assumed for it, which may be empty."""
        for contest in self.report.contests:
            rounds = self.report.rounds_of(contest.name)
            if contest.targeted and self.report.ballots:
                yield self._tickets(contest), ""
                yield from self._drawn(contest, [each for each in rounds if each.size is not None])
            elif contest.targeted:
                yield from ((impossible("drawn ballots", contest.name, each.number, _NO_BALLOTS), "") for each in rounds)
            for each in rounds:
                if each.p_value and self.report.online and self.report.ballots:
                    votes = partial(self._audited_votes, contest, each)
                    yield guarded(votes, "audited votes", contest.name, each.number), ""
                if each.p_value:
                    yield self._p_value(contest, rounds[: each.number]), _BOUNDED if self.report.kind == "HYBRID" else ""

    def _tickets(self, contest: ReportedContest) -> Check:
        """Every ticket number against the seed and the name of its ballot; no other file is needed for that."""
        total, differences = 0, []
        for key, rounds in reported_ballots(self.report.ballots, contest.name).items():
            published = chained(rounds)
            total += len(published)
            differences += [
                f"{_words(key)}: ticket number {said}, and by the seed {made}"
                for said, made in zip(published, ballot_tickets(self.report.seed, key, len(published)), strict=True)
                if said != made
            ]
        return compared("ticket numbers", contest.name, 0, total, differences)

    def _drawn(self, contest: ReportedContest, rounds: Sequence[ReportedRound]) -> Iterator[tuple[Check, str]]:
        reason = "" if self.files.manifest else _NO_MANIFEST
        if self.report.math == "CARD_STYLE_DATA":
            reason = "it was drawn from the cards that have the contest, and their records are not part of a report"
        if reason:
            yield from ((impossible("drawn ballots", contest.name, each.number, reason), "") for each in rounds)
            return
        published = reported_ballots(self.report.ballots, contest.name)
        best: tuple[int, list[Check], str] | None = None
        for words, jurisdictions in self._universes(contest):
            manifest = [batch for batch in self.files.manifest if batch.jurisdiction in jurisdictions]
            again = self._draw(manifest, published, rounds)
            checks = []
            for each, drawn in zip(rounds, again, strict=True):
                said = {key: sorted(of[each.number]) for key, of in published.items() if each.number in of}
                made: dict[BallotKey, list[str]] = {}
                for number, key in drawn:
                    made.setdefault(key, []).append(number)
                checks.append(compared("drawn ballots", contest.name, each.number, len(drawn), unlike(said, made, _words)))
            wrong = sum(check.differing for check in checks)
            if best is None or wrong < best[0]:
                best = (wrong, checks, words)
            if not wrong:
                break
        if best is not None:
            yield from ((check, best[2]) for check in best[1])

    def _draw(
        self,
        manifest: Sequence[ManifestBatch],
        published: dict[BallotKey, dict[int, list[str]]],
        rounds: Sequence[ReportedRound],
    ) -> list[tuple[tuple[str, BallotKey], ...]]:
        sizes = [each.size or 0 for each in rounds]
        if self.report.kind != "HYBRID":
            return list(draw_ballot_rounds(self.report.seed, manifest, sizes, progress=self.progress))
        # A report says how many were drawn of both strata together: how many of each is counted.
        with_cvrs = {(each.jurisdiction, each.tabulator, each.name) for each in manifest if each.has_cvrs}
        parts = []
        for stratum in (True, False):
            counts = [
                sum(len(of.get(each.number, ())) for key, of in published.items() if (key[:3] in with_cvrs) is stratum)
                for each in rounds
            ]
            own = [each for each in manifest if bool(each.has_cvrs) is stratum]
            parts.append(draw_ballot_rounds(self.report.seed, own, counts, replacement=stratum, progress=self.progress))
        return [first + second for first, second in zip(*parts, strict=True)]

    def _universes(self, contest: ReportedContest) -> Iterator[tuple[str, set[str]]]:
        """Sets of jurisdictions that a contest may have been drawn from, each with words for it."""
        everywhere = {batch.jurisdiction for batch in self.files.manifest}
        if self.files.universe is not None and contest.name in self.files.universe:
            yield "", set(self.files.universe[contest.name])
            return
        yield "", everywhere
        found = {row.jurisdiction for row in self.report.ballots if row.tickets.get(contest.name)}
        if found != everywhere:
            yield f"Contest {contest.name!r} is drawn from the jurisdictions alone that the report has ballots of.", found

    def _audited_votes(self, contest: ReportedContest, each: ReportedRound) -> Check:
        """The votes that ROUNDS adds up, from the rows of ballots; in a hybrid audit those of the stratum without records."""
        published = each.found if each.found_non_cvr is None else each.found_non_cvr
        again = self._votes(contest, each.number, every=each.found_non_cvr is None)
        return figure(
            "audited votes", contest.name, each.number, _said(contest, published), _said(contest, again), same=again == published
        )

    def _votes(self, contest: ReportedContest, number: int, *, every: bool) -> tuple[int, ...]:
        """Votes found in a round: a targeted contest's by draw, another's by ballot. Overvotes count for nobody."""
        total = [0] * len(contest.choices)
        for row in self.report.ballots:
            own = (
                row.tickets.get(contest.name, ())
                if contest.targeted
                else tuple(each for of in row.tickets.values() for each in of)
            )
            times = sum(ticket.round == number for ticket in own)
            if not times or not (every or not self._has_cvr(row)) or row.found.get(contest.name, "").startswith("OVERVOTE; "):
                continue
            for place, marks in enumerate(self._found(row, contest)):
                total[place] += marks * (times if contest.targeted else 1)
        return tuple(total)

    def _p_value(self, contest: ReportedContest, rounds: Sequence[ReportedRound]) -> Check:
        last = rounds[-1]
        unsure = not contest.targeted and self.files.universe is None and self.report.kind != "BALLOT_POLLING"
        try:
            again, tolerance = self._risk(contest, rounds)
        except AuditError as error:
            return impossible("P-value", contest.name, last.number, _NO_UNIVERSE if unsure else str(error), last.p_value)
        same = near(last.p_value, again, tolerance)
        if unsure and not same:
            return impossible("P-value", contest.name, last.number, _NO_UNIVERSE, last.p_value)
        return figure("P-value", contest.name, last.number, last.p_value, printed(again), same=same)

    def _risk(self, contest: ReportedContest, rounds: Sequence[ReportedRound]) -> tuple[float, float]:
        """The P-value, and how far it may be from the published one as a share."""
        if self.report.kind == "BALLOT_POLLING":
            votes = with_not_found(contest, [(each.found, each.not_found) for each in rounds])
            if self.report.math == "MINERVA":
                return minerva(contest, votes, self.report.risk_limit), _FLOATING
            if self.report.math == "PROVIDENCE":
                return providence(contest, votes), _FLOATING
            if self.report.math not in ("", "BRAVO"):
                raise AuditError(
                    f"the mathematics {self.report.math[:40]!r} is not known; known are BRAVO, MINERVA and PROVIDENCE"
                )
            return bravo(contest, votes), 0
        if not self.report.online:
            raise AuditError("the report has no result of single ballots")
        last = rounds[-1].number
        if self.report.kind == "BALLOT_COMPARISON":
            return supersimple(contest, self._compared(contest, last, self.report.ballots)), 0
        with_cvr = [row for row in self.report.ballots if self._has_cvr(row)]
        drawn = [self._drawn_count(contest, last, stratum) for stratum in (True, False)]
        polled = [each.found_non_cvr for each in rounds]
        if None in polled:
            raise AuditError("the report does not have the votes found on ballots without records")
        votes_polled = [sum(column) for column in zip(*(each for each in polled if each is not None), strict=True)]
        return hybrid(contest, self._compared(contest, last, with_cvr), (drawn[0], drawn[1]), votes_polled), _SEARCHED

    def _drawn_count(self, contest: ReportedContest, last: int, stratum: bool) -> int:
        return sum(self._times(row, contest, last) for row in self.report.ballots if self._has_cvr(row) is stratum)

    def _compared(self, contest: ReportedContest, last: int, rows: Sequence[ReportedBallot]) -> list[ComparedBallot]:
        """The ballots drawn until a round, and looked for."""
        made = []
        for row in rows:
            times = self._times(row, contest, last)
            if times and row.status in ("AUDITED", "NOT_FOUND"):
                found = None if row.status == "NOT_FOUND" else self._found(row, contest)
                made.append(ComparedBallot(times, self._recorded(row, contest), found))
        return made

    def _times(self, row: ReportedBallot, contest: ReportedContest, last: int) -> int:
        """How often a ballot was drawn for a contest until a round; for one that no draw was made for, once if at all."""
        if contest.targeted:
            return sum(ticket.round <= last for ticket in row.tickets.get(contest.name, ()))
        held = self.files.universe.get(contest.name) if self.files.universe is not None else None
        if held is not None and row.jurisdiction not in held:
            return 0
        return int(any(ticket.round <= last for of in row.tickets.values() for ticket in of))

    def _has_cvr(self, row: ReportedBallot) -> bool:
        """Whether a ballot lies in the stratum with records: by the manifest, or else by its imprinted number."""
        said = self._strata.get(key_of(row)[:3])
        return bool(row.imprinted) if said is None else said

    @cached_property
    def _strata(self) -> dict[tuple[str, str | None, str], bool]:
        return {(b.jurisdiction, b.tabulator, b.name): b.has_cvrs for b in self.files.manifest if b.has_cvrs is not None}

    def _recorded(self, row: ReportedBallot, contest: ReportedContest) -> tuple[int, ...] | str | None:
        text = row.recorded.get(contest.name, "")
        if not text:
            return () if row.imprinted else None
        if text in ("Overvote", "Undervote"):
            return text.removesuffix("vote").lower()
        return (0,) * len(contest.choices) if text == "Blank" else self._marks(row, contest, text)

    def _found(self, row: ReportedBallot, contest: ReportedContest) -> tuple[int, ...]:
        text = row.found.get(contest.name, "").removeprefix("OVERVOTE; ").split("; COMMENT: ")[0]
        if text in ("", "CONTEST_NOT_ON_BALLOT"):
            return ()
        return (0,) * len(contest.choices) if text == "BLANK" else self._marks(row, contest, text)

    def _marks(self, row: ReportedBallot, contest: ReportedContest, text: str) -> tuple[int, ...]:
        names = names_in(text, (*contest.choices, _INVALID))
        if names is None:
            raise AuditError(f"{row.where}: {text[:90]!r} are no choices of contest {contest.name!r}")
        return tuple(int(choice in names) for choice in contest.choices)


def _words(key: BallotKey) -> str:
    where = f"batch {key[2]!r}" if key[1] is None else f"batch {key[2]!r} of tabulator {key[1]!r}"
    return f"ballot {key[3]} in {where} of {key[0]}"


def _said(contest: ReportedContest, votes: Sequence[int]) -> str:
    return "; ".join(f"{choice}: {number}" for choice, number in zip(contest.choices, votes, strict=True))
