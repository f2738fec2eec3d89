"""The table `ballots.json` of a definition: whether it holds keys that this election's ballots may be encrypted under.

The definition names the table by its hash; the room of elections knows its bytes alone. Here they are read, held against the
contests and units of the definition, and verified (verifications 1 to 4 of the ElectionGuard Design Specification 2.1.0).
"""

from typing import Protocol

from scrutineer.ballots.from_election import manifest_of
from scrutineer.ballots.key_check import check_key_file
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import Manifest
from scrutineer.election.contests import Contest
from scrutineer.election.parties import Party
from scrutineer.election.units import Units
from scrutineer.errors import BallotError


class Defined(Protocol):
    """What a manifest follows from beside the units: a definition, or the draft of one."""

    @property
    def id(self) -> str: ...  # noqa: D102 - as in Definition
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def date(self) -> str: ...  # noqa: D102
    @property
    def contests(self) -> tuple[Contest, ...]: ...  # noqa: D102
    @property
    def parties(self) -> tuple[Party, ...]: ...  # noqa: D102


def read_table(data: bytes, defined: Defined, units: Units) -> ElectionKeys:
    """Read and verify the table of an election. Raises BallotError with everything that is wrong with it."""
    faults, keys = _faults(data, defined, units)
    if faults or keys is None:
        raise BallotError("; ".join(faults))
    return keys


def table_faults(data: bytes, defined: Defined, units: Units) -> tuple[str, ...]:
    """What is wrong with the table of an election, a sentence each; nothing where ballots may be encrypted under it."""
    return _faults(data, defined, units)[0]


def differences(given: Manifest, expected: Manifest) -> tuple[str, ...]:
    """Where the manifest of a table is not the one that the definition gives: each difference by its name."""
    found = [
        f"its {what} is {getattr(given, field)!r}, and that of the definition is {getattr(expected, field)!r}"
        for field, what in (("election", "election"), ("name", "name of the election"), ("date", "date"))
        if getattr(given, field) != getattr(expected, field)
    ]
    theirs, ours = ([contest.label for contest in manifest.contests] for manifest in (given, expected))
    if theirs != ours:
        found.append(f"its contests are {', '.join(theirs)}, and those of the definition are {', '.join(ours)}")
    else:
        for own, wanted in zip(given.contests, expected.contests, strict=True):
            changed = [
                what
                for field, what in (
                    ("options", "options"),
                    ("selection_limit", "selection limit"),
                    ("option_limit", "option limit"),
                    ("fields", "supplemental fields"),
                    ("data_blocks", "contest data"),
                    ("orders", "rankings"),
                )
                if getattr(own, field) != getattr(wanted, field)
            ]
            if changed:
                found.append(f"contest {own.label} has other {', '.join(changed)} than the definition gives it")
    if given.styles != expected.styles:
        found.append("its ballot styles are not those that contests and units of the definition give")
    if not found and given != expected:
        found.append("its parties or short codes are not those that the definition gives")
    return tuple(found)


def _faults(data: bytes, defined: Defined, units: Units) -> tuple[tuple[str, ...], ElectionKeys | None]:
    checked = check_key_file(data)
    faults = [f"{failure.message} (check {failure.check})" for failure in checked.failures]
    if checked.record is None:
        return tuple(faults), None
    try:
        expected = manifest_of(defined.id, defined.name, defined.date, defined.contests, units, defined.parties)
    except BallotError as error:
        return (*faults, str(error)), checked.keys
    others = differences(checked.record.manifest, expected)
    if others:
        advice = "; make the keys again for this election, or put back what was changed since"
        faults += [f"the trustees made their keys for another ballot: {others[0]}{advice}", *others[1:]]
    return tuple(faults), checked.keys
