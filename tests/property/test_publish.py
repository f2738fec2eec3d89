"""A site that was published again and again is the one that is rendered all at once, whatever came in which order."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from full_election import AGENT, OBSERVER, SECOND, WORKER, full_election
from portal_helpers import OFFICER, key_of
from publish_helpers import GrowingSite, grown
from scrutineer.election import station_issuer
from scrutineer.election.register import Role
from scrutineer.portal import SiteOptions, changes
from scrutineer.portal.publish import Effort
from scrutineer.statements import (
    Accreditation,
    Attestation,
    Decision,
    Endorsement,
    Payload,
    TallySheet,
    is_tally_sheet,
    parse_statement,
    sign_statement,
    statement_hash,
)

WHOLE = full_election()[-1]
OPTIONS = SiteOptions(languages=("en",))


def _said_later() -> list[bytes]:
    """Keys that are revoked and given anew, names that change, decisions and signatures on sheets that have long been there."""
    election = WHOLE.record.election.hash
    sheets = [(statement_hash(entry), parse_statement(entry).payload) for entry in WHOLE.log if is_tally_sheet(entry)]
    station = station_issuer("hills-1-1")
    said: list[bytes] = []

    def say(issuer: str, payload: Payload, key: str = "") -> bytes:
        said.append(sign_statement(payload, issuer, key_of(key or issuer)))
        return statement_hash(said[-1])

    def both(payload: Payload) -> None:
        say(SECOND, Endorsement(election=election, statement=say(OFFICER, payload), verdict="sign"))

    people: tuple[tuple[str, Role], ...] = (
        (WORKER, "poll-worker"),
        (AGENT, "agent"),
        (OBSERVER, "observer"),
        (station, "station"),
    )
    for issuer, role in people:
        old, new = (key_of(name).public_key for name in (issuer, f"{issuer}-new"))
        both(Accreditation(election=election, action="revoke", issuer=issuer, role=role, key=old, reason="The key was lost."))
        both(Accreditation(election=election, action="admit", issuer=issuer, role=role, key=new, name=f"New {role}"))
    both(
        Accreditation(
            election=election, action="revoke", issuer=SECOND, role="authority", key=key_of(SECOND).public_key, reason="Retired."
        )
    )
    sheet = TallySheet(election=election, station="hills-1-1", contest="president", counts=(1, 2, 3, 4), cast=10)
    name = say(station, sheet, f"{station}-new")
    both(
        Decision(election=election, station=sheet.station, contest="president", action="accept", sheet=name, reason="Confirmed.")
    )
    for number, (name, payload) in enumerate(sheets[:6]):
        assert isinstance(payload, TallySheet)
        say((OFFICER, AGENT, station)[number % 3], Endorsement(election=election, statement=name, verdict="sign"))
        copied = Attestation(
            election=election, station=payload.station, contest=payload.contest, counts=payload.counts, blank=number
        )
        say(WORKER, copied, f"{WORKER}-new")
        if number % 2:
            both(
                Decision(
                    election=election, station=payload.station, contest=payload.contest, action="exclude", reason="It was burnt."
                )
            )
    return said


LOG = [*WHOLE.log, *_said_later()]


@settings(max_examples=6, deadline=None)
@given(st.permutations(LOG[1:]), st.sets(st.integers(1, len(LOG)), min_size=2, max_size=4), st.integers(1, 2))
def test_a_site_published_in_steps_is_the_site_published_at_once(log: list[bytes], sizes: set[int], workers: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # No unit is so far up that its page is made every time.
        patch.setattr(changes, "MOST_UPPER", 0)
        site = GrowingSite(Path(folder))
        for step in grown(WHOLE, [LOG[0], *log], sorted(sizes), OPTIONS):
            site.publish(step, Effort(workers))
            site.check()
