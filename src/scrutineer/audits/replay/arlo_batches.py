"""Replays a batch comparison of Arlo's: ticket numbers, batches drawn, votes, batches audited on top, and the P-values."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

from scrutineer.audits.replay.arlo_draws import (
    ORDERS_WITHIN,
    arlo_contest,
    batch_tickets,
    batches_of,
    chained,
    counting_groups,
    draw_batch_rounds,
    extra_by_counting_group,
    extra_one_each,
    holding,
    orders,
    reported_batches,
)
from scrutineer.audits.replay.arlo_files import ArloFiles
from scrutineer.audits.replay.arlo_model import EXTRA, ArloReport, ReportedBatch, ReportedContest, ReportedRound
from scrutineer.audits.replay.arlo_risks import macro, near, printed
from scrutineer.audits.replay.checks import Check, compared, figure, guarded, impossible
from scrutineer.audits.replay.reading import names_in
from scrutineer.audits.sampling.ppeb import ArloBatch, BatchDraw, BatchKey
from scrutineer.errors import AuditError

_Unit = TypeVar("_Unit", bound=Hashable)
_STOPPED: Final = (
    "P-values are those of the draws until the risk limit was met, in the order of ticket numbers, as Arlo had them then."
)
_BY_NUMBERS: Final = "Arlo chose them then by numbers of its own database, which are not published"
_NO_TOTALS: Final = "the manifests and candidate totals of all jurisdictions are needed; give them after the report"


@dataclass(frozen=True, eq=False)
class BatchReplay:
    """One report of a batch comparison, with the files that were published beside it."""

    report: ArloReport
    files: ArloFiles

    def checks(self) -> Iterator[tuple[Check, str]]:
        """Every check, each with a note on what was assumed for it, which may be empty."""
        drawn: dict[int, set[BatchKey]] = {}
        whole = bool(self.files.totals and self.files.manifest)
        for contest in self.report.contests:
            yield self._tickets(contest), ""
            if not whole:
                for each in self.report.rounds_of(contest.name):
                    if each.size is not None:
                        yield impossible("drawn batches", contest.name, each.number, _NO_TOTALS), ""
                    if each.p_value:
                        yield impossible("P-value", contest.name, each.number, _NO_TOTALS, each.p_value), ""
            else:
                for check, note, keys in self._contest(contest):
                    drawn.setdefault(check.round, set()).update(keys)
                    yield check, note
        yield from ((check, "") for check in self._audited_votes())
        if whole:
            yield guarded(self._reported_votes, "reported votes"), ""
            try:
                yield from self._extra(drawn.get(1, set()))
            except AuditError as error:
                yield impossible("batches on top", "", 1, str(error)), ""

    def _tickets(self, contest: ReportedContest) -> Check:
        """Every ticket number against the seed and the names of its batch; no other file is needed for that."""
        differences = []
        total = 0
        for key, rounds in reported_batches(self.report.batches, contest.name).items():
            published = chained(rounds)
            again = batch_tickets(self.report.seed, key, len(published))
            total += len(published)
            differences += [
                f"batch {key[1]!r} of {key[0]}: ticket number {said}, and by the seed {made}"
                for said, made in zip(published, again, strict=True)
                if said != made
            ]
        return compared("ticket numbers", contest.name, 0, total, differences)

    def _contest(self, contest: ReportedContest) -> Iterator[tuple[Check, str, set[BatchKey]]]:
        rounds = self.report.rounds_of(contest.name)
        try:
            batches, made, note = self._drawn(contest, rounds)
        except AuditError as error:
            for each in rounds:
                if each.size is not None:
                    yield impossible("drawn batches", contest.name, each.number, str(error)), "", set()
            batches, made, note = None, (), ""
        if batches is not None:
            checks, missing = self._missing(contest, batches)
            note = f"{note} {missing}".strip()
            yield from ((check, "", set()) for check in checks)
        for each, draws in zip([each for each in rounds if each.size is not None], made, strict=False):
            yield self._drawn_check(contest, each, draws), note, {draw.batch for draw in draws}
        for each in rounds:
            if each.p_value:
                check, words = self._p_value(contest, each, batches)
                yield check, words, set()

    def _missing(self, contest: ReportedContest, batches: Sequence[ArloBatch]) -> tuple[list[Check], str]:
        """The votes of all batches together against the report, and a note where the contest has more than they."""
        every = tuple(sum(column) for column in zip(*(batch.votes for batch in batches if batch.votes is not None), strict=True))
        missing = sum(contest.votes) - sum(every)
        note = f"{missing:,} votes of contest {contest.name!r} are in no batch, and count as if they could not be audited."
        checks = []
        if (said := contest.batch_votes) is not None:
            words = _votes(contest, said), _votes(contest, every)
            checks.append(figure("votes of all batches", contest.name, 0, *words, same=every == said))
        return checks, note if missing > 0 else ""

    def _drawn(
        self, contest: ReportedContest, rounds: Sequence[ReportedRound]
    ) -> tuple[tuple[ArloBatch, ...], tuple[tuple[BatchDraw, ...], ...], str]:
        """The contest's batches and draws, in the order of jurisdictions that fits the report best, and what that order is."""
        held = holding(contest, self.files, alone=self._alone)
        if not held:
            raise AuditError(f"no file of candidate totals has contest {contest.name!r}; give those of its jurisdictions")
        sizes = [each.size for each in rounds if each.size is not None]
        published = {
            key: sorted(number for numbers in of_rounds.values() for number in numbers)
            for key, of_rounds in reported_batches(self.report.batches, contest.name).items()
        }
        best: tuple[int, tuple[ArloBatch, ...], tuple[tuple[BatchDraw, ...], ...], str] | None = None
        ways = [(words, order, within) for within in ORDERS_WITHIN for words, order in orders(each.jurisdiction for each in held)]
        for words, order, within in ways:
            batches = batches_of(contest, self.files, order, alone=self._alone, within=within)
            made = draw_batch_rounds(self.report.seed, arlo_contest(contest, earlier=self.report.earlier), batches, sizes)
            again: dict[BatchKey, list[str]] = {}
            for draws in made:
                for draw in draws:
                    again.setdefault(draw.batch, []).append(draw.ticket)
            wrong = sum(sorted(again.get(key, [])) != published.get(key, []) for key in {*again, *published})
            if best is None or wrong < best[0]:
                best = (
                    wrong,
                    batches,
                    made,
                    f"Jurisdictions are taken {words}, and their batches {within}.",
                )
            if not wrong:
                break
        if best is None:
            raise AuditError(_NO_TOTALS)
        return best[1], best[2], best[3]

    def _drawn_check(self, contest: ReportedContest, each: ReportedRound, draws: Sequence[BatchDraw]) -> Check:
        published = {
            key: sorted(rounds[each.number])
            for key, rounds in reported_batches(self.report.batches, contest.name).items()
            if each.number in rounds
        }
        again: dict[BatchKey, list[str]] = {}
        for draw in draws:
            again.setdefault(draw.batch, []).append(draw.ticket)
        return compared("drawn batches", contest.name, each.number, len(draws), unlike(published, again, _batch_words))

    def _p_value(self, contest: ReportedContest, each: ReportedRound, batches: Sequence[ArloBatch] | None) -> tuple[Check, str]:
        if batches is None:
            return impossible("P-value", contest.name, each.number, _NO_TOTALS, each.p_value), ""
        # An Arlo of before November 2024 may have stopped where the limit was met, or may not: the report does not say which.
        stops = (self.report.risk_limit, None) if self.report.earlier else (None,)
        made = []
        for stop in stops:
            try:
                again = macro(
                    arlo_contest(contest, earlier=self.report.earlier),
                    batches,
                    self._tickets_until(contest.name, each.number),
                    self._counted(contest.name, each.number),
                    self._together,
                    stop,
                )
            except AuditError as error:
                return impossible("P-value", contest.name, each.number, str(error), each.p_value), ""
            made.append((near(each.p_value, again, 0), printed(again), _STOPPED if stop is not None else ""))
        same, again_printed, note = next((one for one in made if one[0]), made[0])
        note = note if len({one[1] for one in made}) > 1 else ""
        return figure("P-value", contest.name, each.number, each.p_value, again_printed, same=same), note

    def _tickets_until(self, contest: str, last: int) -> list[tuple[str, BatchKey]]:
        found = reported_batches(self.report.batches, contest)
        return [(number, key) for key, rounds in found.items() for each in rounds if each <= last for number in rounds[each]]

    def _counted(self, contest: str, last: int) -> dict[BatchKey, tuple[int, ...]]:
        """By batch drawn for any contest until a round, and counted: the votes of this contest."""
        counted = {}
        for row in self.report.batches:
            for tickets in row.tickets.values():
                for ticket in tickets:
                    if ticket.number != EXTRA and ticket.round <= last and row.audited and contest in row.found:
                        counted[row.jurisdiction, ticket.batch] = row.found[contest]
        return counted

    def _audited_votes(self) -> Iterator[Check]:
        """The votes that ROUNDS adds up, from the batches drawn in each."""
        for each in self.report.rounds:
            if not each.p_value:
                continue
            contest = self.report.contest(each.contest)
            rows = [
                row for row in self.report.batches if row.audited and _drawn_in(row, each.number) and contest.name in row.found
            ]
            again = tuple(sum(row.found[contest.name][place] for row in rows) for place in range(len(contest.choices)))
            yield figure(
                "audited votes",
                contest.name,
                each.number,
                _votes(contest, each.found),
                _votes(contest, again),
                same=again == each.found,
            )

    def _reported_votes(self) -> Check:
        """The reported votes and ballots of each sampled batch, against the files."""
        ballots = {batch.key: batch.ballots for batch in self.files.manifest}
        votes = {
            (contest.name, totals.jurisdiction, name): found
            for contest in self.report.contests
            for totals in self.files.totals
            for name, found in totals.votes(contest, alone=self._alone) or ()
        }
        total, differences = 0, []
        for row in self.report.batches:
            keys = [(row.jurisdiction, name) for name in self._batches_in(row)]
            if row.ballots is not None:
                total += 1
                if row.ballots != (held := sum(ballots.get(key, 0) for key in keys)):
                    differences.append(
                        f"batch {row.name!r} of {row.jurisdiction}: {row.ballots} ballots, and the manifest has {held}"
                    )
            for contest, said in row.reported.items():
                total += 1
                parts = [votes[contest, *key] for key in keys if (contest, *key) in votes]
                again = tuple(map(sum, zip(*parts, strict=True)))
                if again != said:
                    differences.append(
                        f"batch {row.name!r} of {row.jurisdiction}: votes reported of {contest!r} {said}, the totals have {again}"
                    )
        return compared("reported votes", "", 0, total, differences)

    def _extra(self, drawn: set[BatchKey]) -> Iterator[tuple[Check, str]]:
        """Batches audited on top of the sample in the first round."""
        found = {
            (row.jurisdiction, ticket.batch)
            for row in self.report.batches
            for tickets in row.tickets.values()
            for ticket in tickets
            if ticket.number == EXTRA
        }
        if not found:
            return
        sampled = drawn or {
            key for contest in self.report.contests for key in reported_batches(self.report.batches, contest.name)
        }
        whose = {each.jurisdiction for each in self.files.totals}
        required = {(row.jurisdiction, name) for row in self.report.batches if row.required for name in self._batches_in(row)}
        if counting_groups([each for each in self.files.manifest if each.jurisdiction in whose]):
            again = extra_by_counting_group(self.report.seed, self.files.manifest, whose, sampled)
            rule = "one of each counting group and 2 % of the ballots of each jurisdiction"
        else:
            again = extra_one_each(self.report.seed, self.files.manifest, whose, sampled, required & found)
            rule = "those that the law asks for, and one of each jurisdiction"
        differences = [f"batch {key[1]!r} of {key[0]}: in the report, and not by the rule" for key in sorted(found - again)]
        differences += [f"batch {key[1]!r} of {key[0]}: by the rule, and not in the report" for key in sorted(again - found)]
        if differences and self.report.earlier:
            yield impossible("batches on top", "", 1, _BY_NUMBERS), ""
            return
        yield compared("batches on top", "", 1, len(found | again), differences), f"Batches on top of the sample: {rule}."

    @cached_property
    def _together(self) -> Mapping[BatchKey, tuple[BatchKey, ...]]:
        """Batches that were counted together."""
        made: dict[BatchKey, tuple[BatchKey, ...]] = {}
        for row in self.report.batches:
            if row.combines:
                keys = tuple((row.jurisdiction, name) for name in self._batches_in(row))
                made.update(dict.fromkeys(keys, keys))
        return made

    def _batches_in(self, row: ReportedBatch) -> tuple[str, ...]:
        """The names of the batches of a row. Raises AuditError where a list of them does not fit the manifest."""
        if not row.combines:
            return (row.name,)
        known = [batch.name for batch in self.files.manifest if batch.jurisdiction == row.jurisdiction]
        names = names_in(row.combines, known)
        if names is None:
            raise AuditError(f"{row.where}: the manifest of {row.jurisdiction} does not have the batches {row.combines[:90]!r}")
        return names

    @property
    def _alone(self) -> bool:
        return len(self.report.contests) == 1


def unlike(
    published: Mapping[_Unit, list[str]], again: Mapping[_Unit, list[str]], words: Callable[[_Unit], str]
) -> Iterator[str]:
    """Sentences on units whose ticket numbers differ, `words` being what a unit is called."""
    for key in sorted({*published, *again}, key=words):
        said, made = published.get(key, []), sorted(again.get(key, []))
        if said == made:
            continue
        if not made:
            yield f"{words(key)}: in the report, and not drawn by the seed"
        elif not said:
            yield f"{words(key)}: drawn by the seed with {', '.join(made)}, and not in the report"
        else:
            yield f"{words(key)}: ticket numbers {', '.join(said)}, and by the seed {', '.join(made)}"


def _batch_words(key: BatchKey) -> str:
    return f"batch {key[1]!r} of {key[0]}"


def _drawn_in(row: ReportedBatch, number: int) -> bool:
    return any(ticket.round == number and ticket.number != EXTRA for tickets in row.tickets.values() for ticket in tickets)


def _votes(contest: ReportedContest, votes: Sequence[int]) -> str:
    return "; ".join(f"{choice}: {number}" for choice, number in zip(contest.choices, votes, strict=True))
