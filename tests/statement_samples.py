"""One payload of every kind with realistic figures, for tests that need examples and not arbitrary values."""

from scrutineer.election import Candidate, Contest, Definition, LogIdentity, Option, TableHash
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
    TallySheet,
)
from scrutineer.statements.audit import AuditFile, BoxTotals, ContestRisk
from scrutineer.statements.incident import NetworkCount, RequestCount, RequestSummary

ELECTION = bytes(range(32))
HASH = bytes(range(100, 132))
TIME = 1_722_211_200


def definition() -> Definition:
    """A definition with two contests, one of them with an alliance."""
    return Definition(
        version=1,
        id="republic-2027",
        name="General election",
        date="2027-03-14",
        timezone="UTC",
        provenance="simulated",
        authority="Electoral Commission",
        contests=(
            Contest(
                id="president",
                title="President",
                rule="majority",
                options=(
                    Option("heron-1", "Heron (Wetlands)", "heron"),
                    Option("heron-2", "Heron (Rivers)", "heron"),
                    Option("kestrel", "Kestrel"),
                ),
                candidates=(Candidate("heron", "Heron"),),
            ),
            Contest(id="senate", title="Senate", rule="dhondt", options=(Option("a", "List A"), Option("b", "List B")), seats=9),
        ),
        tables={"units.csv": TableHash(HASH, 1234), "register.csv": TableHash(HASH, 5678)},
        log=LogIdentity("log.example/heron", ("heron+00000000+AQ==",)),
    )


def sheet() -> TallySheet:
    """A sheet with every figure and an image."""
    return TallySheet(ELECTION, "010203001", "president", (143, 20, 97), 4, 3, 267, 268, 411, TIME, image=HASH)


def contest_result() -> ContestResult:
    """Totals as a bulletin states them."""
    return ContestResult(
        contest="president",
        votes=(1000, 200, 800),
        blank=10,
        null=None,
        ballots=2010,
        stations=12,
        counted=9,
        quarantined=1,
        excluded=0,
        outstanding=2,
        open_ballots=900,
        elected=("heron",),
        runoff=(),
        tied=(),
        margin=400,
        changeable=True,
    )


def sample_payloads() -> dict[str, Payload]:
    """One payload of every kind, by kind."""
    common = {"size": 11, "root": HASH, "time": TIME, "contests": (contest_result(),), "results": HASH}
    return (
        {
            "definition": definition(),
            "accreditation": Accreditation(
                election=ELECTION,
                action="admit",
                issuer="observer/ibis",
                role="observer",
                key=SigningKey(HASH).public_key,
                unit="01",
            ),
            "endorsement": Endorsement(election=ELECTION, statement=HASH, verdict="refuse", reason="The seal was broken."),
            "station-opened": StationOpened(election=ELECTION, station="010203001", time=TIME, software=HASH),
            "tally-sheet": sheet(),
            "attestation": Attestation(
                election=ELECTION, station="010203001", contest="president", counts=(143, None, 97), cast=267
            ),
            "decision": Decision(
                election=ELECTION,
                station="010203001",
                contest="president",
                action="correct",
                sheet=HASH,
                after=Figures(counts=(143, 20, 97), blank=4),
                reason="Recount of 15 March.",
            ),
            "bulletin": Bulletin(election=ELECTION, number=3, layer="preliminary", **common),  # type: ignore[arg-type]
            "claim": Claim(
                election=ELECTION,
                contest="president",
                announced_by="The Aviary Gazette",
                announced_at="14 March 2027, 22:30",
                source="https://gazette.example/results",
                figures=(
                    ClaimedFigure(name="Heron", option="heron", votes=1200, percent="60.00"),
                    ClaimedFigure(name="all others", percent="40", others=True),
                ),
                counted="80",
                cast=2010,
                turnout="55.5",
            ),
            "certificate": Certificate(election=ELECTION, **common),  # type: ignore[arg-type]
            "incident": Incident(
                election=ELECTION,
                kind="requests",
                since=TIME,
                until=TIME + 3600,
                requests=RequestSummary(
                    journal=HASH[:16],
                    first=2,
                    last=61,
                    previous=HASH,
                    head=ELECTION,
                    counts=(
                        RequestCount(
                            kind="forged-signature",
                            count=1200,
                            networks=(
                                NetworkCount(network="192.0.2.0/24", count=700),
                                NetworkCount(network="2001:db8:7::/48", count=200),
                            ),
                        ),
                        RequestCount(kind="scan", count=3),
                    ),
                ),
            ),
        }
        | _audit_payloads()
    )


def _audit_payloads() -> dict[str, Payload]:
    """An audit of the outcome from plan to report."""
    return {
        "audit-plan": AuditPlan(
            election=ELECTION,
            name="boxes-2027",
            about="outcome",
            title="Boxes against sheets",
            by="Society of Observers",
            protocol="Boxes are drawn with public dice and counted by hand in front of everyone who comes.",
            board=("auditor/dipper", "auditor/wren"),
            size=11,
            root=HASH,
            risk_limit="0.05",
            plan=HASH,
            contests=("president",),
            files=(AuditFile(name="manifest.csv", sha256=HASH, size=42), AuditFile(name="totals.csv", sha256=HASH, size=420)),
        ),
        "audit-seed": AuditSeed(
            election=ELECTION,
            plan=HASH,
            seed="20271503141592653589",
            how="Twenty throws of a ten-sided die",
            who="Visitors of the town hall, one throw each",
            when="15 March 2027, 10:00",
            evidence=(HASH,),
        ),
        "audit-count": AuditCount(
            election=ELECTION,
            plan=HASH,
            box="010203001",
            totals=(BoxTotals(contest="president", counts=(143, 20, None), blank=4, cards=267),),
            counted_by=("Wren", "Dipper"),
            images=(HASH,),
            discrepancies=("marking", "unknown"),
            note="One ballot was torn.",
            replaces=HASH,
        ),
        "audit-report": AuditReport(
            election=ELECTION,
            plan=HASH,
            seed=HASH,
            size=42,
            outcome="confirmed",
            risks=(ContestRisk(contest="president", risk="0.0312"),),
            report=HASH,
            evidence=(HASH,),
        ),
    }
