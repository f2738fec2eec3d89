"""Whether a plan rests on the results that our own count gives at its log size."""

from typing import Any

from second_look.count import Count, Place
from second_look.outcome.implied import Tally, candidates_of, unproved
from second_look.outcome.plan import NotComputedError, Planned
from second_look.report import FormatError
from second_look.rules import adds_up, is_single_choice


class Sheets:
    """What is reported of one contest, by station that is not excluded."""

    def __init__(self, count: Count, contest: dict[str, Any]) -> None:
        self.contest = contest
        self.places = {s: place for s, place in count.places[contest["id"]].items() if place.status != "excluded"}
        self.rows = {s: self._row(place) for s, place in self.places.items()}
        self.cards = {s: self._cards(place) for s, place in self.places.items() if place.status == "counted"}
        self.most = {s: max(self._cards(place), place.figures[3] or 0) for s, place in self.places.items()}
        """The most that any figure says of cards or voters, of a sheet in quarantine too."""

    def _row(self, place: Place) -> tuple[int, list[int]]:
        if place.status != "counted":
            return 0, [0] * len(self.contest["options"])
        return (place.figures[0] or 0) + (place.figures[1] or 0), [count or 0 for count in place.counts]

    def _cards(self, place: Place) -> int:
        votes = [count or 0 for count in place.counts] or [0]
        marked = sum(votes) if adds_up(self.contest) else max(votes)
        return max(marked + (place.figures[0] or 0) + (place.figures[1] or 0), place.figures[2] or 0)

    def tally(self) -> tuple[Tally, int]:
        """Votes by candidate, and how many ballots are published."""
        of_option = candidates_of(self.contest)
        votes, rest = [0] * (max(of_option) + 1), 0
        for others, counts in self.rows.values():
            rest += others
            for candidate, own in zip(of_option, counts, strict=True):
                votes[candidate] += own
        valid = sum(votes)
        if not is_single_choice(self.contest) and self.contest["rule"] != "ranked":
            counted = [place for place in self.places.values() if place.status == "counted"]
            least = -(-valid // self.contest["max_choices"]) if self.contest["rule"] == "plurality" else 0
            valid = max(*votes, least, min(sum(place.figures[2] or 0 for place in counted) - rest, valid))
        return Tally(votes, rest), valid + rest


def check_results(planned: Planned, count: Count) -> tuple[list[str], list[str]]:
    """What differs from our own count, which has reached the plan's log size; and what is taken as published."""
    wrong: list[str] = []
    taken: list[str] = []
    known = count.election.contests
    if strange := [c["contest"] for c in planned.plan["contests"] if c["contest"] not in known]:
        return [f"there is no contest {strange[0]!r}"], []
    every = {c["contest"]: Sheets(count, known[c["contest"]]) for c in planned.plan["contests"]}
    for contest in planned.plan["contests"]:
        name = contest["contest"]
        tally, ballots = every[name].tally()
        tests = [test for test in planned.tests if test.contest == name]
        if ballots > planned.plan["cards"]:
            wrong.append(f"contest {name}: {ballots} ballots are published, and the manifest has {planned.plan['cards']} cards")
        elif planned.cards is not None and not planned.totals:
            most = planned.plan["cards"] - planned.cards.without(name)
            if ballots > most:
                wrong.append(f"contest {name}: {ballots} ballots are published, and by the records {most} cards can hold it")
        try:
            wrong += [f"contest {name}: {said}" for said in unproved(known[name], tally, contest, tests)]
        except NotComputedError as error:
            taken.append(f"contest {name}: {error}")
        if contest["full_count"] in ("one-card", "unstated", "not-published"):
            taken.append(f"contest {name}: that only a full count can confirm it ({contest['full_count']})")
    most = {station: cards for sheets in every.values() for station, cards in sheets.cards.items()}
    for sheets in every.values():
        most |= {station: max(most[station], cards) for station, cards in sheets.cards.items()}
    crowded = [s for s, cards in most.items() if s in planned.manifest and cards > planned.manifest[s]]
    if crowded:
        wrong.append(f"more cards are published than the manifest has, in {len(crowded)} boxes, such as {min(crowded)!r}")
    if planned.totals:
        wrong += _totals(planned, count, every)
    if planned.cards is not None:
        for name, column in planned.cards.columns.items():
            own = known.get(name)
            if own is None or column.contest["options"] != [option["id"] for option in own["options"]]:
                raise FormatError(f"cards.bin: contest {name} has not the options of the definition")
    return wrong, taken


def _totals(planned: Planned, count: Count, every: dict[str, Sheets]) -> list[str]:
    """Hold totals.csv and manifest.csv against the sheets."""
    wrong = []
    for name, sheets in every.items():
        given = planned.totals.get(name, {})
        differ = [s for s in sheets.rows.keys() | given.keys() if s not in given or sheets.rows.get(s) != given[s][1:]]
        if sheets.contest["rule"] == "ranked":
            wrong.append(f"contest {name} is ranked, and totals of boxes do not say who is elected")
        elif differ:
            wrong.append(f"contest {name}: totals.csv is not what the log gives in {len(differ)} boxes, such as {min(differ)!r}")
    if strange := planned.totals.keys() - every.keys():
        wrong.append(f"totals.csv has contest {min(strange)!r}, which the plan does not have")
    stations = {station for sheets in every.values() for station in sheets.rows}
    if stations != planned.manifest.keys():
        wrong.append(f"box {min(stations ^ planned.manifest.keys())!r} is in the manifest or votes in the contests, and not both")
    elif not wrong:
        wrong += _cards(planned, _by_rolls(planned, count, every), every)
    return wrong


def _by_rolls(planned: Planned, count: Count, every: dict[str, Sheets]) -> bool:
    """Whether the manifest is that of rolls and sheets, as it is where people made none."""
    for box, cards in planned.manifest.items():
        roll = count.election.stations[box].roll
        if roll is None or cards != max(roll, *(sheets.most[box] for sheets in every.values() if box in sheets.rows)):
            return False
    return True


def _cards(planned: Planned, by_rolls: bool, every: dict[str, Sheets]) -> list[str]:
    """Whether all cards have to be found that sheets report; where people made the manifest, also those beyond all sheets."""
    few = []
    for box, cards in planned.manifest.items():
        largest = max(sheets.cards.get(box, 0) for sheets in every.values())
        for name, sheets in every.items():
            if box in sheets.rows:
                own = sheets.cards.get(box)
                beyond = 0 if by_rolls else cards - (0 if own is None else largest)
                if planned.totals[name][box][0] < (own or 0) + beyond:
                    few.append(f"{box} ({name})")
    return (
        [f"totals.csv lets cards be missing that are reported or stand in the manifest, in {len(few)} boxes: {few[0]}"]
        if few
        else []
    )
