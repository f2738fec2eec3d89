"""What holding an announcement against itself means, in phrases."""

from fractions import Fraction

from scrutineer.calls.claims.rounding import Span
from scrutineer.language import Phrase, Quantity, Sayable


def options_text(options: int, total: int, valid: int, fits: bool | None) -> Phrase:
    """The votes of all options next to the valid votes."""
    added = Phrase.several(
        "the votes of {n} option add up to {total} of {valid} valid",
        "the votes of {n} options add up to {total} of {valid} valid",
        options,
        total=total,
        valid=valid,
    )
    gap = abs(valid - total)
    if not gap:
        return added
    if total > valid:
        return Phrase("{sum}, {gap} more than valid", sum=added, gap=gap)
    if fits is not None:
        return Phrase("{sum}, {gap} fewer than valid", sum=added, gap=gap)
    return Phrase(
        "{sum}, {gap} fewer than valid; right if options are left out of the list, a slip if they are not", sum=added, gap=gap
    )


def parts_text(given: dict[str, int], cast: int, fits: bool | None) -> Phrase:
    """Valid, null and blank votes next to all votes cast."""
    amount, gap = sum(given.values()), abs(cast - sum(given.values()))
    first, *rest = (part_of(name, number) for name, number in given.items())
    added = first
    for part in rest:
        added = Phrase("{first} + {second}", first=added, second=part)
    if rest:
        added = Phrase("{sum} = {total}", sum=added, total=amount)
    if not gap:
        return Phrase("{sum} = cast", sum=added)
    if amount > cast:
        return Phrase("{sum}, {gap} above {cast} cast", sum=added, gap=gap, cast=cast)
    if fits is not None:
        return Phrase("{sum}, {gap} below {cast} cast", sum=added, gap=gap, cast=cast)
    return Phrase(
        "{sum}, {gap} below {cast} cast; right if the difference is a kind of vote that was not announced",
        sum=added,
        gap=gap,
        cast=cast,
    )


def part_of(name: str, votes: int) -> Phrase:
    """So many votes of a kind: valid, null or blank."""
    match name:
        case "valid":
            return Phrase("{votes} valid", votes=votes)
        case "null":
            return Phrase("{votes} null", votes=votes)
        case _:
            return Phrase("{votes} blank", votes=votes)


def counted_totals(totals: Span) -> Sayable:
    """Totals, with their number where there are several."""
    if totals.count == 1:
        return totals
    return Phrase.several("{totals} ({n} total)", "{totals} ({n} totals)", totals.count, totals=totals)


def points(share: Fraction) -> Quantity:
    """A share as a percentage with up to six decimals, for texts."""
    return Quantity(share, 6, share=True, exact=True)
