"""Bulletins and certificates: totals bound to a log size and root, and the check that they are what the log gives there."""

from dataclasses import dataclass

from scrutineer.count.fold import Count
from scrutineer.count.results import contest_result
from scrutineer.count.tables import results_hash
from scrutineer.statements import Bulletin, Certificate
from scrutineer.statements.contest_call import ContestCall
from scrutineer.statements.kinds import Layer


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of a bulletin or certificate that is not what the log gives."""

    field: str
    stated: object
    computed: object

    def __str__(self) -> str:
        return f"{self.field}: states {_show(self.stated)}, the log gives {_show(self.computed)}"


def make_bulletin(
    count: Count, root: bytes, *, number: int, time: int, layer: Layer = "preliminary", calls: tuple[ContestCall, ...] = ()
) -> Bulletin:
    """The bulletin that this count allows. `root` is the log's root at `count.size`, `time` in seconds since 1970.

    `calls` are what the count allows to be said of what can still change (`calls.bulletin_calls`).
    """
    return Bulletin(
        election=count.election.hash,
        number=number,
        layer=layer,
        size=count.size,
        root=root,
        time=time,
        contests=tuple(contest_result(count, contest) for contest in range(len(count.contests))),
        results=results_hash(count),
        calls=calls,
    )


def make_certificate(count: Count, root: bytes, *, time: int) -> Certificate:
    """The certificate that this count allows."""
    return Certificate(
        election=count.election.hash,
        size=count.size,
        root=root,
        time=time,
        contests=tuple(contest_result(count, contest) for contest in range(len(count.contests))),
        results=results_hash(count),
    )


def differences(
    stated: Bulletin | Certificate, count: Count, root: bytes, *, calls: tuple[ContestCall, ...] = ()
) -> list[Difference]:
    """Everything in which a bulletin or certificate departs from the count at its size. Empty: it is what the log gives.

    `count` must stand at `stated.size`, `root` be the log's root there, and `calls` what the count gives for them.
    """
    found: list[Difference] = []
    if stated.election != count.election.hash:
        found.append(Difference("election", stated.election, count.election.hash))
    if stated.size != count.size:
        found.append(Difference("size", stated.size, count.size))
    if stated.root != root:
        found.append(Difference("root", stated.root, root))
    computed = {result.contest: result for result in (contest_result(count, n) for n in range(len(count.contests)))}
    for result in stated.contests:
        own = computed.pop(result.contest, None)
        if own is None:
            found.append(Difference(f"contest {result.contest}", "totals", "no such contest"))
            continue
        for name in result.__struct_fields__:
            said, gives = getattr(result, name), getattr(own, name)
            if said != gives:
                found.append(Difference(f"contest {result.contest}, {name}", said, gives))
    found.extend(Difference(f"contest {missing}", "nothing", "totals") for missing in computed)
    if isinstance(stated, Bulletin) and stated.calls != calls:
        found.extend(_call_differences(stated.calls, calls))
    if stated.results != (own_hash := results_hash(count)):
        found.append(Difference("results", stated.results, own_hash))
    return found


def _call_differences(stated: tuple[ContestCall, ...], computed: tuple[ContestCall, ...]) -> list[Difference]:
    if [call.contest for call in stated] != [call.contest for call in computed]:
        return [Difference("calls", [call.contest for call in stated], [call.contest for call in computed])]
    return [
        Difference(f"call of contest {own.contest}, {name}", getattr(said, name), getattr(own, name))
        for said, own in zip(stated, computed, strict=True)
        for name in own.__struct_fields__
        if getattr(said, name) != getattr(own, name)
    ]


def _show(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
