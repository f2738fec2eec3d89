"""Parties that a voter can choose for the whole ballot (straight-party voting), and what they stand for in each contest.

Voting machines offer them. The choice is expanded into marks before a ballot is encrypted, so the count knows nothing of parties.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from scrutineer.election.contests import Contest, check_id, check_name
from scrutineer.errors import DefinitionError

MAX_PARTIES: Final = 512
OPTION_MARK: Final = "/"
"""Between the id of a contest and that of its option."""


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice for the whole ballot."""

    id: str
    name: str
    options: tuple[str, ...]
    """The options that it stands for, each as `contest/option`."""

    def __post_init__(self) -> None:
        check_id(self.id, "party")
        check_name(self.name, f"name of party {self.id}")
        if not self.options or len(set(self.options)) != len(self.options):
            raise DefinitionError(f"party {self.id} stands for no option, or for one twice: list each once in its options")

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Contest and option, by their ids, of everything that the party stands for."""
        split = (text.partition(OPTION_MARK) for text in self.options)
        return tuple((contest, option) for contest, _, option in split)


def check_party(party: Party, contests: Sequence[Contest]) -> None:
    """Refuse a party that stands for something that a ballot cannot hold. Raises DefinitionError."""
    known = {contest.id: contest for contest in contests}
    where = f"party {party.id}"
    for text, (contest, option) in zip(party.options, party.pairs(), strict=True):
        own = known.get(contest)
        if own is None or all(other.id != option for other in own.options):
            raise DefinitionError(
                f"{where} stands for {text!r}, which no contest has: write the ids of both, as 'contest/option'"
            )
        if own.rule == "ranked":
            raise DefinitionError(f"{where} stands for {text!r}, whose contest is ranked: voters rank by hand; remove it")
        if option == own.write_in:
            raise DefinitionError(f"{where} stands for {text!r}, which takes a name that only the voter can write: remove it")
    for contest, count in Counter(contest for contest, _ in party.pairs()).items():
        allowed = known[contest].choices_allowed()
        if count > allowed:
            raise DefinitionError(
                f"{where} stands for {count} options of contest {contest}, in which a ballot may mark {allowed}: remove some"
            )


def check_parties(parties: Sequence[Party], contests: Sequence[Contest]) -> None:
    """Refuse the same. Raises DefinitionError, also for a party that is listed twice, and for too many."""
    if len(parties) > MAX_PARTIES:
        raise DefinitionError(f"the election has {len(parties)} parties: give it at most {MAX_PARTIES}")
    seen: set[str] = set()
    for party in parties:
        if party.id in seen:
            raise DefinitionError(f"party {party.id!r} is listed twice: give each party its own id")
        seen.add(party.id)
        check_party(party, contests)
