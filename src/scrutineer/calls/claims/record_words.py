"""What holding an announcement against a record means, in phrases."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from scrutineer.calls.claims.record_values import ANY_STATIONS, Compared, Moment, Record
from scrutineer.calls.claims.rounding import Span
from scrutineer.language import Phrase, Quantity, Row


def verdict(compared: Sequence[Compared]) -> bool | None:
    """Whether announced values and the record can both be right; None where too little is known to say."""
    if any(row.excess for row in compared):
        return False
    return None if any(row.high is None or row.low is None for row in compared if row.kind != "lead") else True


def explained(moment: Moment, record: Record) -> Phrase:
    """What is compared with what, and from which moments."""
    sheets = record.partial.counted_stations
    if moment.stations is None:
        held = Phrase.several("The record holds {n} counted sheet", "The record holds {n} counted sheets", sheets)
    else:
        held = Phrase.several(
            "The record holds {n} counted sheet of {stations} stations",
            "The record holds {n} counted sheets of {stations} stations",
            sheets,
            stations=moment.stations,
        )
    if not moment.stated:
        return Phrase("{held}; the announcement does not say how many it is of.", held=held)
    if moment.most == ANY_STATIONS:
        return Phrase("{held}; the announcement is of all stations.", held=held)
    if moment.least == moment.most == moment.stations:
        if sheets == moment.stations:
            return Phrase("{held}; the announcement is of all of them.", held=held)
        return Phrase("{held}; the announcement is of all stations, the record's and those outstanding.", held=held)
    number, relation = Span(moment.least, moment.most), _relation(moment, sheets)
    if moment.stations is None:
        return Phrase("{held}; the announcement is of {sheets} sheets, {relation}.", held=held, sheets=number, relation=relation)
    return Phrase(
        "{held}; the announcement is of {sheets} sheets, {relation}, and may leave out up to {most} of the record's.",
        held=held,
        sheets=number,
        relation=relation,
        most=min(sheets, moment.left_out[1]),
    )


def _relation(moment: Moment, sheets: int) -> Phrase:
    if moment.least > sheets:
        return Phrase.several(
            "a later moment: at least {n} sheet more", "a later moment: at least {n} sheets more", moment.least - sheets
        )
    if moment.most < sheets:
        return Phrase.several(
            "an earlier moment: at least {n} sheet fewer", "an earlier moment: at least {n} sheets fewer", sheets - moment.most
        )
    return Phrase("a moment near it")


def statement(compared: Sequence[Compared], sheets: int, moment: Moment, record: Record) -> Phrase:
    """The strongest true statement."""
    # One option's votes are what people understand best, so they are said where they contradict, then sums, then leads.
    order = {"option": 2, "total": 1, "lead": 0}
    worst = max(compared, key=lambda row: (row.excess != 0, order[row.kind], abs(row.excess)))
    if worst.excess:
        return Phrase.several(
            "The announced totals and this {n} published sheet cannot both be right: {reason}.",
            "The announced totals and these {n} published sheets cannot both be right: {reason}.",
            sheets,
            reason=_even_if(worst, moment, record),
        )
    if all(row.difference == 0 for row in compared) and moment.left_out[1] == 0:
        return Phrase.several(
            "The announced totals are those of the {n} published sheet, to the vote.",
            "The announced totals are those of the {n} published sheets, to the vote.",
            sheets,
        )
    if verdict(compared) is None:
        said = Phrase("Nothing in the published sheets contradicts the announced totals, as far as the rolls are known")
    else:
        said = Phrase.several(
            "The announced totals and this {n} published sheet are compatible",
            "The announced totals and these {n} published sheets are compatible",
            sheets,
        )
    rows = [row for row in compared if row.needed is not None]
    if not rows:
        return Phrase("{sentence}.", sentence=said)
    total = sum(row.needed[0] for row in rows if row.needed is not None)
    return Phrase(
        "{finding}: the sheets outside the record would have to hold {votes}.",
        finding=said,
        votes=Row.of(_holding(row, total) for row in rows),
    )


def beside(row: Compared) -> Phrase:
    """An announced value beside the record."""
    return Phrase(
        "{name}: announced {announced}, on the sheets {counted} ({difference}); possible: {low} to {high}",
        name=row.name,
        announced=row.announced,
        counted=row.counted,
        difference=Quantity(row.difference, sign=True),
        low=Phrase("nothing") if row.low is None else row.low,
        high=Phrase("no bound") if row.high is None else row.high,
    )


def _holding(row: Compared, total: int) -> Phrase:
    low, high = row.needed or (0, 0)
    if low != high:
        return Phrase("{votes} for {name}", votes=Span(max(0, low), high), name=row.name)
    if 0 <= low <= total and total:
        share = Quantity(Fraction(low, total), 2, share=True)
        return Phrase("{votes} for {name} ({share})", votes=low, name=row.name, share=share)
    return Phrase("{votes} for {name}", votes=low, name=row.name)


def _even_if(row: Compared, moment: Moment, record: Record) -> Phrase:
    who = row.name if row.pair is None else row.pair[0]
    conditions = [*_left_out(row, who, moment)]
    if moment.stations != record.partial.counted_stations:
        conditions.append(_outstanding(row, who))
    bound = _bound(row, bounded=bool(conditions))
    return Phrase("even if {conditions}, {bound}", conditions=Row.of(conditions, "list"), bound=bound) if conditions else bound


def _left_out(row: Compared, who: str, moment: Moment) -> Iterator[Phrase]:
    """What is supposed of the sheets that the announcement leaves out, where it may leave some out."""
    above = row.excess > 0
    out = moment.left_out[not above]
    if row.kind == "lead" and moment.left_out[1]:
        if above:
            yield Phrase("the sheets that the announcement leaves out were the least favourable to {who}", who=who)
        else:
            yield Phrase("the sheets that the announcement leaves out were the most favourable to {who}", who=who)
    elif out == ANY_STATIONS:
        if above:
            yield Phrase("the sheets that the announcement leaves out were those with the fewest votes for {who}", who=who)
        else:
            yield Phrase("the sheets that the announcement may leave out were those with the most votes for {who}", who=who)
    elif out and above:
        yield Phrase.several(
            "the {n} sheet that the announcement leaves out was that with the fewest votes for {who}",
            "the {n} sheets that the announcement leaves out were those with the fewest votes for {who}",
            out,
            who=who,
        )
    elif out:
        yield Phrase.several(
            "the {n} sheet that the announcement may leave out was that with the most votes for {who}",
            "the {n} sheets that the announcement may leave out were those with the most votes for {who}",
            out,
            who=who,
        )


def _outstanding(row: Compared, who: str) -> Phrase:
    """What is supposed of the stations that are outstanding."""
    above = row.excess > 0
    if row.kind == "total":
        if above:
            return Phrase("every registered voter of the outstanding stations had voted")
        return Phrase("no outstanding station had a vote")
    if above:
        return Phrase("every outstanding station had voted entirely for {who}", who=who)
    if row.kind == "lead":
        return Phrase("every outstanding station had voted entirely against {who}", who=who)
    return Phrase("no outstanding station had a vote for {who}", who=who)


def _bound(row: Compared, *, bounded: bool) -> Phrase:
    """What the record allows at most, or at least, beside what was announced; `bounded` where it is not known exactly."""
    name: str = row.name
    if row.pair is not None:
        name = Phrase("the lead of {leader} over {second}", leader=row.pair[0], second=row.pair[1])
    values = {"name": name, "gap": abs(row.excess), "announced": row.announced}
    if row.excess > 0:
        values["bound"] = row.high or 0
        if row.kind == "option":
            if bounded:
                return Phrase("{name} could have at most {bound}, which is {gap} fewer than the {announced} announced", **values)
            return Phrase("{name} has {bound}, which is {gap} fewer than the {announced} announced", **values)
        if bounded:
            return Phrase("{name} could be at most {bound}, which is {gap} fewer than the {announced} announced", **values)
        return Phrase("{name} is {bound}, which is {gap} fewer than the {announced} announced", **values)
    values["bound"] = row.low or 0
    if row.kind == "option":
        if bounded:
            return Phrase("{name} could have at least {bound}, which is {gap} more than the {announced} announced", **values)
        return Phrase("{name} has {bound}, which is {gap} more than the {announced} announced", **values)
    if bounded:
        return Phrase("{name} could be at least {bound}, which is {gap} more than the {announced} announced", **values)
    return Phrase("{name} is {bound}, which is {gap} more than the {announced} announced", **values)
