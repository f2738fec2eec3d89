"""What several commands read from their options in the same way."""

from collections.abc import Iterable

from scrutineer.count import Count
from scrutineer.errors import UsageError


def where_conditions(texts: Iterable[str]) -> dict[str, str] | None:
    """The columns of `--where COLUMN=VALUE` and what they must hold; None where the option was not given. Raises UsageError."""
    conditions = {}
    for text in texts:
        column, separator, value = text.partition("=")
        if not column or not separator:
            raise UsageError(f"--where {text!r} is not of the form COLUMN=VALUE")
        conditions[column] = value
    return conditions or None


def contest_numbers(count: Count, contest_id: str | None) -> list[int]:
    """The contest that `--contest` names, by position; all of them where it was not given. Raises UsageError."""
    if contest_id is None:
        return list(range(len(count.contests)))
    number = count.election.contest_index.get(contest_id)
    if number is None:
        raise UsageError(f"there is no contest {contest_id!r}: use one of {', '.join(count.election.contest_index)}")
    return [number]
