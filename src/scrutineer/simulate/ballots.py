"""The contests of the invented republic. Everyone who stands is a bird, so that nobody is reminded of anyone."""

from typing import Final, Literal

from scrutineer.election import Alternative, Candidate, Contest, Option
from scrutineer.simulate.places import Places

BIRDS: Final = ("Heron", "Kestrel", "Wren", "Plover", "Avocet", "Bittern", "Curlew", "Dunlin", "Finch", "Siskin")
PRESIDENT: Final = "president"

ContestChoice = Literal["president", "all"]


def republic_contests(places: Places, choice: ContestChoice, *, alliances: bool) -> tuple[Contest, ...]:
    """The president alone, or one contest of every rule; with alliances, two candidates for president have two options each."""
    president = _president(alliances=alliances)
    if choice == "president":
        return (president,)
    region = places.region_ids[-1]
    return (
        president,
        Contest("commission", "Election commission", "approval", _birds(6), seats=2),
        Contest("harbour", "Shall the harbour stay open in winter?", "yes-no", (Option("yes", "Yes"), Option("no", "No"))),
        Contest("speaker", "Speaker", "majority", _birds(4), alternative=Alternative("40 %", "10 %")),
        Contest("warden", "Warden of the lakes", "ranked", _birds(5)),
        Contest("assembly", "Assembly", "dhondt", _lists(8), seats=120, threshold="3 %"),
        Contest("senate", "Senate", "sainte-lague", _lists(6), seats=31),
        Contest("council", "Regional council", "hamilton", _lists(5), seats=17, unit=region),
        Contest("judges", "Regional judges", "plurality", _birds(7), seats=3, max_choices=3, unit=region),
    )


def _president(*, alliances: bool) -> Contest:
    if not alliances:
        return Contest(PRESIDENT, "President of the Republic", "plurality", _birds(len(BIRDS)))
    own = tuple(Option(bird.lower(), f"{bird} (reed list)", bird.lower() if n < 2 else "") for n, bird in enumerate(BIRDS))
    second = tuple(Option(f"{bird.lower()}-meadow", f"{bird} (meadow list)", bird.lower()) for bird in BIRDS[:2])
    standing = tuple(Candidate(bird.lower(), bird) for bird in BIRDS[:2])
    return Contest(PRESIDENT, "President of the Republic", "plurality", own + second, candidates=standing)


def _birds(size: int) -> tuple[Option, ...]:
    return tuple(Option(bird.lower(), bird) for bird in BIRDS[:size])


def _lists(size: int) -> tuple[Option, ...]:
    return tuple(Option(bird.lower(), f"{bird} list") for bird in BIRDS[:size])
