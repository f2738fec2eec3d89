"""An election with everything that others than the stations say: observers, agents and poll workers, copies and signatures."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache

from portal_helpers import OFFICER, Published, key_of, made_up
from scrutineer.election import Contest, Election, Option, UnitRow, station_issuer
from scrutineer.election.register import Role
from scrutineer.statements import (
    Accreditation,
    Attestation,
    Decision,
    Endorsement,
    Figures,
    Payload,
    StationOpened,
    TallySheet,
    sign_statement,
    statement_hash,
)

CLOSED = 1_747_600_000
WATCH, OWL, AGENT, CLERK = "observer/bird-watch", "observer/owl", "agent/heron-north", "poll-worker/n0-1"
OPTIONS = (Option("heron", "Heron"), Option("wren", "Wren"), Option("finch", "Finch and the friends of the meadow"))
PRESIDENT = Contest("president", "President of the birds", "plurality", OPTIONS)
QUESTION = Contest("nests", "Shall nests be protected?", "yes-no", (Option("yes", "Yes"), Option("no", "No")))
HOSTILE = '"><script>alert(1)</script>\u202eowl'

Said = tuple[str, Payload]


def rows() -> list[UnitRow]:
    return [
        UnitRow("land", "", "Land of birds", "country", None),
        UnitRow("north", "land", "North", "state", None),
        *(UnitRow(f"n{number}", "north", f"Meadow school, table {number}", "table", 500) for number in range(6)),
        UnitRow("south", "land", "South", "state", None),
        *(UnitRow(f"s{number}", "south", f"Lake hall, table {number}", "table", 400) for number in range(2)),
    ]


def named(said: Said) -> bytes:
    """The hash by which others name a statement."""
    issuer, payload = said
    return statement_hash(sign_statement(payload, issuer, key_of(issuer)))


def admit(election: Election, issuer: str, name: str = "", unit: str = "") -> Said:
    role: Role = issuer.partition("/")[0]  # type: ignore[assignment]
    key = key_of(issuer).public_key
    return OFFICER, Accreditation(election=election.hash, action="admit", issuer=issuer, role=role, key=key, unit=unit, name=name)


def revoke(election: Election, issuer: str) -> Said:
    role: Role = issuer.partition("/")[0]  # type: ignore[assignment]
    return OFFICER, Accreditation(
        election=election.hash,
        action="revoke",
        issuer=issuer,
        role=role,
        key=key_of(issuer).public_key,
        reason="The key was lost.",
    )


def sheet(
    election: Election, station: str, counts: tuple[int | None, ...], contest: str = "president", **figures: object
) -> Said:
    given = {"blank": 4, "null": 2, "cast": sum(n or 0 for n in counts) + 6, "voters": sum(n or 0 for n in counts) + 6}
    known = given | {"roll": 500 if station[0] == "n" else 400, "time": CLOSED} | figures
    return station_issuer(station), TallySheet(election.hash, station, contest, counts, **known)  # type: ignore[arg-type]


def copy(
    election: Election, issuer: str, station: str, counts: tuple[int | None, ...], contest: str = "president", **figures: object
) -> Said:
    given = {"election": election.hash, "station": station, "contest": contest, "counts": counts} | figures
    return issuer, Attestation(**given)  # type: ignore[arg-type]


def sign(election: Election, issuer: str, said: Said, refuse: str = "") -> Said:
    return issuer, Endorsement(
        election=election.hash, statement=named(said), verdict="refuse" if refuse else "sign", reason=refuse
    )


def everything(election: Election) -> Iterator[Said]:
    """n0 is agreed by all, n1 differs, n2 is corrected, n3 sent two sheets, n4 fails rules, n5 has copies and no sheet."""
    yield admit(election, WATCH, "Bird Watch International")
    yield admit(election, OWL, HOSTILE.replace("\u202e", ""))
    yield admit(election, AGENT, "Rosa Egret, for Heron", "north")
    yield admit(election, CLERK, unit="n0")
    yield station_issuer("n0"), StationOpened(election=election.hash, station="n0", time=CLOSED - 40_000)
    first = sheet(election, "n0", (120, 110, 30), image=hashlib.sha256(b"n0").digest())
    yield first
    yield sign(election, CLERK, first)
    yield sign(election, AGENT, first)
    yield sign(election, OWL, first, f"I was not let in. {HOSTILE}")
    yield copy(election, WATCH, "n0", (120, 110, 30), blank=4, null=2, cast=266)
    yield copy(election, AGENT, "n0", (120, 110, 30))
    yield sheet(election, "n1", (201, 99, 12))
    yield copy(election, WATCH, "n1", (210, 99, 12), blank=4, null=1, cast=318, time=CLOSED, image=hashlib.sha256(b"n1").digest())
    yield copy(election, AGENT, "n1", (None, 99, None), roll=500)
    wrong = sheet(election, "n2", (150, 45, 11), cast=260)
    yield wrong
    yield (
        OFFICER,
        Decision(
            election=election.hash,
            station="n2",
            contest="president",
            action="correct",
            sheet=named(wrong),
            after=Figures(counts=(150, 94, 11), blank=4, null=2, cast=261, voters=261, roll=500),
            reason="Wren’s votes were read as 45; the paper says 94.\nAll agents agreed.",
        ),
    )
    yield copy(election, WATCH, "n2", (150, 94, 11))
    one, two = sheet(election, "n3", (80, 60, 5)), sheet(election, "n3", (80, 66, 5), time=CLOSED + 900)
    yield one
    yield two
    yield sign(election, AGENT, two)
    yield copy(election, WATCH, "n3", (80, 66, 5))
    yield sheet(election, "n4", (400, 190, 12), blank=None)
    yield copy(election, WATCH, "n5", (70, 71, 3), blank=1)
    yield sheet(election, "s0", (0, 0, 0), blank=0, null=0, cast=0, voters=0)
    yield OFFICER, Decision(election=election.hash, station="s1", contest="president", action="exclude", reason="Never opened.")
    for number in range(6):
        yield sheet(election, f"n{number}", (140, 100 + number), "nests")


@cache
def observed() -> Published:
    """That election, two contests, with a log of what everyone said."""
    return made_up(rows(), (PRESIDENT, QUESTION), everything)


def said(what: Iterable[Said] = ()) -> Published:
    """An election of one contest with the same people, in which this was said."""

    def all_of(election: Election) -> Iterator[Said]:
        for issuer, name in ((WATCH, "Bird Watch"), (OWL, "Owl"), (AGENT, "Rosa Egret"), (CLERK, "")):
            yield admit(election, issuer, name, "north" if issuer == AGENT else "n0" if issuer == CLERK else "")
        yield from what

    return made_up(rows(), (PRESIDENT,), all_of)
