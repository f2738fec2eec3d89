"""What `call` is asked about: an election folder's log, a published set read by its layout, or a bare table of stations."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scrutineer.calls import PartialCount
from scrutineer.calls.from_count import incoherence, partial_count
from scrutineer.calls.partial import unrelated_order
from scrutineer.calls.table_input import MAX_TABLE_SIZE, read_table
from scrutineer.cli.office import Office
from scrutineer.cli.options import contest_numbers
from scrutineer.cli.show import Progress
from scrutineer.count import Count
from scrutineer.election import Contest, Option
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import Alternative, RuleName
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import read_published
from scrutineer.errors import UsageError
from scrutineer.portal.formats import SITE_FILE
from scrutineer.simulate.nights import Night, final_of_published, recorded_order


@dataclass(frozen=True, slots=True)
class SettingsGiven:
    """Settings of calls given with the command; None where one was not."""

    risk: str | None = None
    gamma: str | None = None
    strata: int | None = None
    extra_ballots: int | None = None

    def over(self, committed: CallSettings | None) -> tuple[CallSettings, bool]:
        """The settings that hold, and whether they are exactly those that were committed to before the first result."""
        base = committed or CallSettings()
        chosen = CallSettings(
            base.risk if self.risk is None else self.risk,
            base.gamma if self.gamma is None else self.gamma,
            base.strata if self.strata is None else self.strata,
            base.extra_ballots if self.extra_ballots is None else self.extra_ballots,
        )
        return chosen, chosen == committed


@dataclass(frozen=True, slots=True)
class RuleGiven:
    """The rule of a bare table's contest, which the table itself does not know."""

    rule: RuleName = "plurality"
    seats: int = 1
    threshold: str = ""
    alternative: str = ""
    """Share and lead, as '40 %,10 %'."""
    recount: str = ""

    def contest(self, title: str, options: tuple[str, ...]) -> Contest:
        """A contest of these options. Raises DefinitionError for a rule that cannot be, UsageError where yes stands last."""
        share, comma, lead = self.alternative.partition(",")
        if self.alternative and not comma:
            raise UsageError(f"--alternative {self.alternative!r}: write a share and a lead, such as '40 %,10 %'")
        if self.rule == "yes-no" and len(options) == 2 and options[1].strip().lower() == "yes":
            raise UsageError(f"the columns are {options[0]!r} and {options[1]!r}: the first one means yes, so put it first")
        return Contest(
            id="contest",
            title=title,
            rule=self.rule,
            options=tuple(Option(f"option-{number}", name) for number, name in enumerate(options, 1)),
            seats=self.seats,
            threshold=self.threshold,
            alternative=Alternative(share.strip(), lead.strip()) if self.alternative else None,
            recount=self.recount,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One contest in one unit, ready to be called."""

    contest: Contest
    partial: PartialCount
    settings: CallSettings
    committed: bool
    heading: str
    source: str
    """Where the figures come from, in one sentence."""
    unit: str = ""
    of_file: bool = False
    """Whether the figures are somebody's published file, which elects nobody."""
    incoherent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def ask_folder(
    folder: Path, contest_id: str | None, unit_id: str | None, size: int | None, given: SettingsGiven, progress: Progress
) -> list[Asked]:
    """Every contest (or the one that is named) of an election folder, at a log size."""
    if (folder / SITE_FILE).is_file():
        raise UsageError(
            f"{folder} is a published site: its calls stand on its pages and in its bulletins, and `scrutineer verify {folder}` "
            "computes them again; give an election folder, or a table of stations"
        )
    office = Office.load(folder)
    count = office.read_count(size, progress)
    settings, committed = given.over(office.election.definition.calls)
    unit = None if unit_id is None else office.election.units.position(unit_id)
    return [_ask(count, number, unit, settings, committed=committed) for number in contest_numbers(count, contest_id)]


def _ask(count: Count, number: int, unit: int | None, settings: CallSettings, *, committed: bool) -> Asked:
    definition, units = count.election.definition, count.election.units
    partial = partial_count(count, number, settings, unit)
    contest = count.election.contests[number]
    return Asked(
        contest=contest,
        partial=partial,
        settings=settings,
        committed=committed,
        heading=f"{contest.title}, log size {count.size:,}" + ("" if unit is None else f", {units.names[unit]}"),
        source=definition.provenance_sentence(),
        unit="" if unit is None else units.ids[unit],
        of_file=definition.provenance == "replayed",
        incoherent=incoherence(count, number, partial),
    )


def ask_published(
    file: Path, layout_name: str, contest_id: str | None, where: dict[str, str] | None, given: SettingsGiven, progress: Progress
) -> list[Asked]:
    """The contests of a published set, its stations in the order of their times where it has them."""
    layout = load_layout(layout_name)
    published = read_published(file, layout, where=where, progress=lambda done, total: progress("Reading the file", done, total))
    settings, _ = given.over(CallSettings(strata=layout.strata))
    asked = []
    for number, contest in enumerate(published.contests):
        if contest_id not in (None, contest.id):
            continue
        final = final_of_published(published, settings.strata, contest=number)
        if final.times is None:
            notes = ["The file states no times: the order in which the stations reported is not known."]
            partial = Night(final, np.arange(len(final.votes))).partial(len(final.votes))
            partial = replace(partial, arrival=unrelated_order(partial.counted), ordered=False)
        else:
            notes = []
            partial = Night(final, recorded_order(final.times)).partial(len(final.votes))
        if final.left_out:
            notes.append(f"{final.left_out:,} stations without a complete sheet, or repeated sheets, are left out.")
        asked.append(
            Asked(
                contest=contest,
                partial=partial,
                settings=settings,
                committed=False,
                heading=f"{layout.title}: {contest.title}",
                source=f"Published by: {layout.publisher}. The settings of this call were chosen after the event.",
                of_file=True,
                notes=tuple(notes),
            )
        )
    if not asked:
        raise UsageError(f"there is no contest {contest_id!r}: use one of {', '.join(c.id for c in published.contests)}")
    return asked


def ask_table(file: Path, baseline: Path | None, rule: RuleGiven, given: SettingsGiven, progress: Progress) -> list[Asked]:
    """The one contest of a bare table."""
    settings, _ = given.over(None)
    progress("Reading the table", 0, 1)
    table = read_table(
        _read(file),
        None if baseline is None else _read(baseline),
        extra_ballots=settings.extra_ballots,
        name=file.name,
        baseline_name="" if baseline is None else baseline.name,
    )
    progress("Reading the table", 1, 1)
    return [
        Asked(
            contest=rule.contest(file.stem, table.partial.candidates),
            partial=table.partial,
            settings=settings,
            committed=False,
            heading=file.name,
            source=f"From the table {file.name}, which nobody signed.",
            incoherent=table.incoherent,
            notes=table.notes,
        )
    ]


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_TABLE_SIZE:
        raise UsageError(f"{file} has more than {MAX_TABLE_SIZE:,} bytes: give a table with one line for each station")
    return file.read_bytes()
