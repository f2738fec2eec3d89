"""The calls of a record: worked out once for the pages and pictures that show them."""

from dataclasses import dataclass, replace

from scrutineer.calls import Call, make_call
from scrutineer.calls.from_count import beyond_rolls, beyond_rolls_words, partial_count
from scrutineer.calls.track import Track, leading_pair, track
from scrutineer.count import Count


@dataclass(frozen=True, slots=True)
class Called:
    """The call on one contest at the size of the log, and the way there; no track where there is no lead to draw."""

    call: Call
    track: Track | None
    beyond: tuple[int, int] | None = None
    """Ballots of the counted stations and voters on their rolls, where these are fewer, so that no call is made."""


def called(count: Count, contest: int) -> Called | None:
    """The call on a contest (by position); None where the definition commits to no settings."""
    settings = count.election.definition.calls
    if settings is None:
        return None
    partial = partial_count(count, contest, settings)
    asked = count.election.contests[contest]
    beyond = beyond_rolls(count, contest, partial)
    incoherent = () if beyond is None else (beyond_rolls_words(*beyond),)
    call = make_call(asked, partial, settings, committed=True, incoherent=incoherent)
    if count.election.definition.provenance == "replayed":
        call = replace(call, of_file=True)
    if call.incoherent or not partial.counted_stations or len(partial.candidates) == 1 or asked.rule == "ranked":
        return Called(call, None, beyond)
    pair = leading_pair(partial)
    del partial  # The votes of all candidates at a million stations are memory that whoever verifies may lack.
    return Called(call, track(pair, asked.title, tuple(candidate.name for candidate in asked.standing())))
