"""A valid payload of every kind, by kind."""

from typing import Final

from hypothesis import strategies as st

from scrutineer.election.register import KEY_SIZES
from scrutineer.http.networks import network_text
from scrutineer.statements import (
    Accreditation,
    Attestation,
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    Bulletin,
    Certificate,
    Claim,
    ClaimedFigure,
    ContestResult,
    Decision,
    Endorsement,
    Figures,
    Incident,
    Payload,
    SigningKey,
    StationOpened,
)
from scrutineer.statements.audit import DISCREPANCIES, SUBJECTS, AuditFile, BoxTotals, CardMarks, ContestRisk
from scrutineer.statements.contest_call import CalledCondition, ContestCall
from scrutineer.statements.incident import REQUEST_KINDS, NetworkCount, RequestCount, RequestSummary
from strategies.elections import elections, identifiers, names
from strategies.sheets import hashes, maybe, sheets

KEY: Final = SigningKey(bytes(range(32)))
times = st.integers(0, 2**40 - 1)
reasons = st.text(st.characters(exclude_categories=("Cs", "C", "Z")), min_size=1, max_size=40)
votes = st.lists(maybe, max_size=12).map(tuple)
figures = dict.fromkeys(("blank", "null", "cast", "voters", "roll"), maybe)


gammas = st.none() | st.integers(100, 10_000)
conditions = st.builds(
    CalledCondition,
    code=reasons,
    verdict=st.sampled_from(["arithmetic", "statistics", "not-decided"]),
    reasons=st.lists(reasons, max_size=2, unique=True).map(tuple),
    value=st.integers(-(2**40), 2**40),
    slack=st.none() | st.integers(-(2**40), 2**40),
    flips_at=gammas,
    seen=gammas,
)
calls = st.builds(
    ContestCall,
    contest=identifiers,
    verdict=st.sampled_from(["not-coherent", "arithmetic", "statistics", "not-decided"]),
    reasons=st.lists(reasons, max_size=2, unique=True).map(tuple),
    binding=reasons,
    slack=st.none() | st.integers(-(2**40), 2**40),
    conditions=st.lists(conditions, max_size=3).map(tuple),
    lead=st.none() | conditions,
)


@st.composite
def accreditations(draw: st.DrawFn) -> Accreditation:
    action = draw(st.sampled_from(["admit", "revoke"]))
    algorithm = draw(st.sampled_from(["ed25519", "ml-dsa-44"]))
    role = draw(st.sampled_from(["authority", "agent", "observer", "poll-worker", "tribunal"]))
    return Accreditation(
        election=draw(hashes),
        action=action,  # type: ignore[arg-type]
        issuer=f"{role}/{draw(identifiers)}",
        role=role,  # type: ignore[arg-type]
        algorithm=algorithm,  # type: ignore[arg-type]
        key=draw(st.binary(min_size=4, max_size=4)) * (KEY_SIZES[algorithm] // 4),
        unit=draw(st.just("") | identifiers),
        name=draw(st.just("") | names),
        reason=draw(reasons) if action == "revoke" else "",
    )


@st.composite
def endorsements(draw: st.DrawFn) -> Endorsement:
    verdict = draw(st.sampled_from(["sign", "refuse"]))
    return Endorsement(
        election=draw(hashes),
        statement=draw(hashes),
        verdict=verdict,  # type: ignore[arg-type]
        reason=draw(reasons) if verdict == "refuse" else "",
    )


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    action = draw(st.sampled_from(["accept", "correct", "exclude"]))
    return Decision(
        election=draw(hashes),
        station=draw(identifiers),
        contest=draw(identifiers),
        action=action,  # type: ignore[arg-type]
        sheet=None if action == "exclude" else draw(hashes),
        after=draw(st.builds(Figures, counts=votes, **figures)) if action == "correct" else None,
        reason=draw(reasons),
    )


@st.composite
def contest_results(draw: st.DrawFn) -> ContestResult:
    known = st.integers(0, 2**40)
    counted, quarantined, excluded, outstanding = (draw(st.integers(0, 2_000_000)) for _ in range(4))
    return ContestResult(
        contest=draw(identifiers),
        votes=tuple(draw(st.lists(known, max_size=8))),
        blank=draw(st.none() | known),
        null=draw(st.none() | known),
        ballots=draw(known),
        stations=counted + quarantined + excluded + outstanding,
        counted=counted,
        quarantined=quarantined,
        excluded=excluded,
        outstanding=outstanding,
        open_ballots=draw(st.none() | known),
        elected=tuple(draw(st.lists(identifiers, max_size=3))),
        runoff=tuple(draw(st.lists(identifiers, max_size=2))),
        tied=tuple(draw(st.lists(identifiers, max_size=2))),
        margin=draw(st.none() | known),
        changeable=draw(st.booleans()),
    )


claimed = st.integers(0, 10**10)
percents = st.from_regex(r"(100(\.0{1,6})?|[0-9]{1,2}(\.[0-9]{1,6})?)", fullmatch=True, alphabet="0123456789.")


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    called = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    rest = draw(st.sampled_from([None, *range(len(called))]))
    figures = []
    for number, name in enumerate(called):
        votes, percent = draw(st.none() | claimed), draw(st.just("") | percents)
        figures.append(
            ClaimedFigure(
                name=name,
                option=draw(st.just("") | identifiers),
                votes=0 if votes is None and not percent else votes,
                percent=percent,
                others=number == rest,
            )
        )
    counts = ("stations_counted", "cast", "valid", "blank", "null")
    shares = ("counted", "turnout", "valid_percent", "blank_percent", "null_percent")
    return Claim(
        election=draw(hashes),
        contest=draw(identifiers),
        announced_by=draw(names),
        announced_at=draw(names),
        source=draw(reasons),
        figures=tuple(figures),
        unit=draw(st.just("") | identifiers),
        base=draw(st.sampled_from([None, "valid", "cast", "roll"])),  # type: ignore[arg-type]
        rounding=draw(st.sampled_from([None, "half-up", "half-even", "truncation"])),  # type: ignore[arg-type]
        stations=draw(st.none() | st.integers(1, 10**10)),
        roll=draw(st.none() | st.integers(1, 10**10)),
        **{name: draw(st.none() | claimed) for name in counts},
        **{name: draw(st.just("") | percents) for name in shares},
    )


networks = st.sampled_from([b"", *(bytes([192, 0, n]) for n in range(9)), *(bytes([32, 1, 13, n, 0, 7]) for n in range(9))])


@st.composite
def request_counts(draw: st.DrawFn) -> tuple[RequestCount, ...]:
    counts = []
    for kind in draw(st.lists(st.sampled_from(REQUEST_KINDS), min_size=1, unique=True).map(sorted)):
        listed = draw(st.dictionaries(networks.map(network_text), st.integers(1, 2**40), max_size=5))
        order = sorted(listed, key=lambda network: (-listed[network], network))
        count = sum(listed.values()) + draw(st.integers(not listed, 2**40))
        rows = tuple(NetworkCount(network=network, count=listed[network]) for network in order)
        counts.append(RequestCount(kind=kind, count=count, networks=rows))
    return tuple(sorted(counts, key=lambda count: REQUEST_KINDS.index(count.kind)))


@st.composite
def request_summaries(draw: st.DrawFn) -> RequestSummary:
    first = draw(st.integers(1, 2**40))
    return RequestSummary(
        journal=draw(st.binary(min_size=16, max_size=16)),
        first=first,
        last=first + draw(st.integers(0, 2**40)),
        previous=None if first == 1 else draw(hashes),
        head=draw(hashes),
        counts=draw(request_counts()),
    )


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    since, until = sorted((draw(times), draw(times)))
    kind = draw(st.sampled_from(["outage", "attack", "intimidation", "obstruction", "equipment", "other", "requests"]))
    return Incident(
        election=draw(hashes),
        kind=kind,  # type: ignore[arg-type]
        since=since,
        until=until,
        unit=draw(st.just("") | identifiers),
        text="" if kind == "requests" else draw(reasons),
        evidence=tuple(draw(st.lists(hashes, max_size=3, unique=True))),
        requests=draw(request_summaries()) if kind == "requests" else None,
    )


evidence = st.lists(hashes, max_size=3, unique=True).map(tuple)
shares = st.integers(1, 999_999).map(lambda number: f"0.{number:06}".rstrip("0"))
audit_files = st.builds(
    AuditFile, name=st.from_regex(r"[a-z0-9-]{1,8}\.csv", fullmatch=True).map("a".__add__), sha256=hashes, size=claimed
)


@st.composite
def audit_plans(draw: st.DrawFn) -> AuditPlan:
    about = draw(st.sampled_from(SUBJECTS))
    outcome = about == "outcome"
    return AuditPlan(
        election=draw(hashes),
        name=draw(identifiers),
        about=about,
        title=draw(names),
        by=draw(names),
        protocol=draw(reasons),
        unit=draw(st.just("") | identifiers),
        board=tuple(f"auditor/{name}" for name in sorted(draw(st.sets(identifiers, max_size=3)))),
        size=draw(st.integers(1, 2**40)) if outcome else 0,
        root=draw(hashes) if outcome else None,
        risk_limit=draw(shares) if outcome else "",
        plan=draw(hashes) if outcome else None,
        contests=tuple(sorted(draw(st.sets(identifiers, min_size=1, max_size=3)))) if outcome else (),
        files=tuple(draw(st.lists(audit_files, max_size=3, unique_by=_name).map(lambda files: sorted(files, key=_name)))),
    )


def _name(file: AuditFile) -> str:
    return file.name


def _in_order(parts: st.SearchStrategy[object], key: str) -> st.SearchStrategy[tuple[object, ...]]:
    """Up to three of them, each once, in the order of a field."""
    return st.lists(parts, min_size=1, max_size=3, unique_by=lambda part: getattr(part, key)).map(
        lambda found: tuple(sorted(found, key=lambda part: getattr(part, key)))
    )


box_totals = st.builds(BoxTotals, contest=identifiers, counts=votes, blank=maybe, null=maybe, cards=maybe)
card_marks = st.builds(
    CardMarks,
    position=st.integers(1, 2**31 - 1),
    marks=st.dictionaries(identifiers, st.lists(st.integers(0, 511), max_size=3, unique=True).map(tuple), max_size=3),
)


@st.composite
def audit_counts(draw: st.DrawFn) -> AuditCount:
    status = draw(st.sampled_from(["counted", "missing", "illegible"]))
    seen = draw(st.sampled_from(["totals", "cards"])) if status == "counted" else ""
    replaces = draw(st.none() | hashes)
    return AuditCount(
        election=draw(hashes),
        plan=draw(hashes),
        box=draw(identifiers),
        status=status,  # type: ignore[arg-type]
        totals=draw(_in_order(box_totals, "contest")) if seen == "totals" else (),  # type: ignore[arg-type]
        cards=draw(_in_order(card_marks, "position")) if seen == "cards" else (),  # type: ignore[arg-type]
        counted_by=tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True))),
        images=draw(evidence),
        discrepancies=tuple(sorted(draw(st.sets(st.sampled_from(DISCREPANCIES))), key=DISCREPANCIES.index)),
        note=draw(reasons) if replaces else draw(st.just("") | reasons),
        replaces=replaces,
    )


@st.composite
def audit_reports(draw: st.DrawFn) -> AuditReport:
    outcome = draw(st.sampled_from(["confirmed", "full-count", "continuing", "stopped", "held"]))
    measured = outcome != "held"
    return AuditReport(
        election=draw(hashes),
        plan=draw(hashes),
        seed=draw(hashes) if outcome == "confirmed" else draw(st.none() | hashes),
        size=draw(st.integers(1, 2**40)),
        outcome=outcome,  # type: ignore[arg-type]
        risks=draw(_in_order(st.builds(ContestRisk, contest=identifiers, risk=shares), "contest")) if measured else (),  # type: ignore[arg-type]
        report=draw(hashes) if measured else draw(st.none() | hashes),
        found=draw(st.just("") | reasons) if measured else draw(reasons),
        shows=draw(st.just("") | reasons) if measured else draw(reasons),
        evidence=draw(evidence),
    )


totals = st.lists(contest_results(), min_size=1, max_size=2).map(tuple)
sizes = st.integers(1, 2**62)

PAYLOADS: Final[dict[str, st.SearchStrategy[Payload]]] = {
    "definition": elections(max_units=4).map(lambda election: election.definition),
    "accreditation": accreditations(),
    "endorsement": endorsements(),
    "station-opened": st.builds(StationOpened, election=hashes, station=identifiers, time=times, software=st.none() | hashes),
    "tally-sheet": sheets(),
    "attestation": st.builds(
        Attestation,
        election=hashes,
        station=identifiers,
        contest=identifiers,
        counts=votes,
        time=st.none() | times,
        image=st.none() | hashes,
        **figures,
    ),
    "decision": decisions(),
    "bulletin": st.builds(
        Bulletin,
        election=hashes,
        number=sizes,
        layer=st.sampled_from(["preliminary", "official"]),
        size=sizes,
        root=hashes,
        time=times,
        contests=totals,
        results=hashes,
        calls=st.lists(calls, max_size=2).map(tuple),
    ),
    "claim": claims(),
    "incident": incidents(),
    "audit-plan": audit_plans(),
    "audit-seed": st.builds(
        AuditSeed,
        election=hashes,
        plan=hashes,
        seed=st.text("0123456789", min_size=20, max_size=60),
        how=reasons,
        who=reasons,
        when=reasons,
        evidence=evidence,
    ),
    "audit-count": audit_counts(),
    "audit-report": audit_reports(),
    "certificate": st.builds(Certificate, election=hashes, size=sizes, root=hashes, time=times, contests=totals, results=hashes),
}
payloads = st.sampled_from(sorted(PAYLOADS)).flatmap(PAYLOADS.__getitem__)
