"""Contests with several options for one candidate, marked cards, and the tallies that follow from them."""

import random
from collections import Counter
from collections.abc import Callable, Mapping

from scrutineer.audits.assertions import Assertion, Marks
from scrutineer.count.outcome import RankedTally, Tally
from scrutineer.election import Alternative, Contest, Option

NAMES = ("Heron", "Wren", "Kite", "Rail", "Smew", "Teal", "Ibis")

Cards = Mapping[Marks, int]
"""How many cards are marked in each way."""


def options(count: int, allied: int = 0) -> tuple[Option, ...]:
    """So many options; the last `allied` of them stand for the first candidate as well."""
    own = tuple(Option(f"o{at}", NAMES[at]) for at in range(count))
    return tuple(
        Option(option.id, option.name, "" if at < count - allied else "o0") if count > allied else option
        for at, option in enumerate(own)
    )


def tally_of_cards(contest: Contest, cards: Cards) -> Tally | RankedTally:
    """The tally by candidate, card by card."""
    of_option, candidates = contest.candidate_of_option(), len(contest.standing())
    if contest.rule == "ranked":
        rankings: Counter[tuple[int, ...]] = Counter()
        for marks, count in cards.items():
            rankings[tuple(dict.fromkeys(of_option[option] for option in marks))] += count
        return RankedTally(candidates, tuple(sorted((order, n) for order, n in rankings.items() if order)), rankings[()])
    votes, blank, valid = [0] * candidates, 0, 0
    for marks, count in cards.items():
        if not 1 <= len(marks) <= contest.choices_allowed():
            blank += count
            continue
        valid += count
        for option in marks:
            votes[of_option[option]] += count
    # A ballot with two options of one candidate gives it two votes; the count then takes the most votes for the valid ballots.
    return Tally(tuple(votes), blank, 0, None if contest.single_choice() else max(valid, *votes))


def score(assertion: Assertion, cards: Cards) -> int:
    """The score of all cards, card by card."""
    return sum(assertion.score(marks) * count for marks, count in cards.items())


def random_cards(draw: random.Random, contest: Contest, most: int = 12) -> Counter[Marks]:
    """Cards of every kind, blank ones and overvotes too."""
    cards: Counter[Marks] = Counter()
    size = len(contest.options)
    for _ in range(draw.randint(1, 12)):
        if contest.rule == "ranked":
            marks = tuple(draw.sample(range(size), draw.randint(0, size)))
        else:
            wanted = draw.choice([1, 1, 1, draw.randint(0, contest.choices_allowed()), min(size, contest.choices_allowed() + 1)])
            marks = tuple(sorted(draw.sample(range(size), wanted)))
        cards[marks] += draw.randint(1, most)
    return cards


def near(draw: random.Random, contest: Contest, cards: Cards) -> Counter[Marks]:
    """The same cards, some of them read otherwise, or others altogether."""
    if draw.random() < 0.3:
        return random_cards(draw, contest)
    found = Counter(dict(cards))
    other = random_cards(draw, contest)
    for _ in range(draw.randint(1, 12)):
        gone = draw.choice(sorted(found.elements()))
        found[gone] -= 1
        found[draw.choice(sorted(other))] += 1
    return +found


def random_contest(draw: random.Random, rule: str) -> Contest:
    """A contest under a rule with small numbers of everything."""
    size = 2 if rule == "yes-no" else draw.randint(1, 5)
    allied = draw.choice([0, 0, 1]) if size > 2 and rule != "yes-no" else 0
    given = options(size, allied)
    threshold = draw.choice(["", "", "1/5", "1/3"])
    make: dict[str, Callable[[], Contest]] = {
        "plurality": lambda: Contest("c", "C", "plurality", given, draw.randint(1, 3), draw.randint(1, min(2, size))),
        "approval": lambda: Contest("c", "C", "approval", given, draw.randint(1, 2)),
        "yes-no": lambda: Contest("c", "C", "yes-no", given, threshold=draw.choice(["", "2/3"])),
        "majority": lambda: Contest(
            "c",
            "C",
            "majority",
            given,
            threshold=draw.choice(["", "2/5"]),
            alternative=draw.choice([None, Alternative("40 %", "10 %")]),
            base=draw.choice(["valid", "cast"]),
        ),
        "ranked": lambda: Contest("c", "C", "ranked", given),
        "dhondt": lambda: Contest("c", "C", "dhondt", given, draw.randint(1, 5), threshold=threshold),
        "sainte-lague": lambda: Contest("c", "C", "sainte-lague", given, draw.randint(1, 5), threshold=threshold),
        "hamilton": lambda: Contest("c", "C", "hamilton", given, draw.randint(1, 5), threshold=threshold),
    }
    return make[rule]()
