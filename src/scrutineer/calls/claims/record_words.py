"""What holding an announcement against a record means, in sentences."""

from collections.abc import Sequence
from fractions import Fraction

from scrutineer.calls.claims.record_values import ANY_STATIONS, Compared, Moment, Record


def verdict(compared: Sequence[Compared]) -> bool | None:
    """Whether announced values and the record can both be right; None where too little is known to say."""
    if any(row.excess for row in compared):
        return False
    return None if any(row.high is None or row.low is None for row in compared if row.kind != "lead") else True


def explained(moment: Moment, record: Record) -> str:
    """What is compared with what, and from which moments."""
    sheets = record.partial.counted_stations
    of = "" if moment.stations is None else f" of {moment.stations:,} stations"
    held = f"The record holds {sheets:,} counted sheets{of}"
    if not moment.stated:
        return f"{held}; the announcement does not say how many it is of."
    number = f"{moment.least:,}" if moment.least == moment.most else f"{moment.least:,} to {moment.most:,}"
    if moment.most == ANY_STATIONS:
        return f"{held}; the announcement is of all stations."
    if moment.least == moment.most == moment.stations:
        what = "all of them" if sheets == moment.stations else "all stations, the record's and those outstanding"
        return f"{held}; the announcement is of {what}."
    if moment.least > sheets:
        relation = f"a later moment: at least {moment.least - sheets:,} sheets more"
    elif moment.most < sheets:
        relation = f"an earlier moment: at least {sheets - moment.most:,} sheets fewer"
    else:
        relation = "a moment near it"
    missing = "" if moment.stations is None else f", and may leave out up to {min(sheets, moment.left_out[1]):,} of the record's"
    return f"{held}; the announcement is of {number} sheets, {relation}{missing}."


def statement(compared: Sequence[Compared], sheets: int, moment: Moment, record: Record) -> str:
    """The strongest true statement."""
    # One option's votes are what people understand best, so they are said where they contradict, then sums, then leads.
    order = {"option": 2, "total": 1, "lead": 0}
    worst = max(compared, key=lambda row: (row.excess != 0, order[row.kind], abs(row.excess)))
    if worst.excess:
        return (
            f"The announced totals and these {sheets:,} published sheets cannot both be right: {_even_if(worst, moment, record)}"
        )
    if all(row.difference == 0 for row in compared) and moment.left_out[1] == 0:
        return f"The announced totals are those of the {sheets:,} published sheets, to the vote."
    bounded = verdict(compared) is not None
    said = (
        "Nothing in the published sheets contradicts the announced totals, as far as the rolls are known"
        if not bounded
        else f"The announced totals and these {sheets:,} published sheets are compatible"
    )
    rows = [row for row in compared if row.needed is not None]
    if not rows:
        return f"{said}."
    total = sum(row.needed[0] for row in rows if row.needed is not None)
    parts = ", ".join(_holding(row, total) for row in rows)
    return f"{said}: the sheets outside the record would have to hold {parts}."


def _holding(row: Compared, total: int) -> str:
    low, high = row.needed or (0, 0)
    if low == high:
        share = f" ({float(100 * Fraction(low, total)):.2f} %)" if 0 <= low <= total and total else ""
        return f"{low:,} for {row.name}{share}"
    return f"{max(0, low):,} to {high:,} for {row.name}"


def _even_if(row: Compared, moment: Moment, record: Record) -> str:
    who = row.name.removeprefix("lead of ").partition(" over ")[0] if row.kind == "lead" else row.name
    above = row.excess > 0
    out = moment.left_out[not above]
    conditions = []
    if row.kind == "lead" and moment.left_out[1]:
        conditions.append(
            f"the sheets that the announcement leaves out were the {'least' if above else 'most'} favourable to {who}"
        )
    elif out:
        number = "" if out == ANY_STATIONS else f"{out:,} "
        conditions.append(
            f"the {number}sheets that the announcement {'leaves' if above else 'may leave'} out were those with the "
            f"{'fewest' if above else 'most'} votes for {who}"
        )
    if moment.stations != record.partial.counted_stations:
        held = (
            f"every outstanding station had voted entirely for {who}" if above else f"no outstanding station had a vote for {who}"
        )
        if row.kind == "total":
            held = (
                "every registered voter of the outstanding stations had voted" if above else "no outstanding station had a vote"
            )
        elif row.kind == "lead" and not above:
            held = f"every outstanding station had voted entirely against {who}"
        conditions.append(held)
    even_if = f"even if {' and '.join(conditions)}, " if conditions else ""
    bound = row.high if above else row.low
    limit = "" if not conditions else "at most " if above else "at least "
    relation = "fewer" if above else "more"
    what = f"the {row.name}" if row.kind == "lead" else row.name
    verb = "could be" if row.kind != "option" else "could have"
    if not conditions:
        verb = "is" if row.kind != "option" else "has"
    return (
        f"{even_if}{what} {verb} {limit}{bound:,}, which is {abs(row.excess):,} {relation} than the {row.announced:,} announced."
    )
