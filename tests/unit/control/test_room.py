"""What the room refuses when officers want to release something, one rule at a time; and that a restart loses nothing."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from release_helpers import OFFICERS, Officers
from scrutineer.control.drafts import next_bulletin
from scrutineer.control.journal import Journal
from scrutineer.control.proposals import DRAFT_LIFETIME, LIFETIME, Proposal, normal, signed_release
from scrutineer.count import QUARANTINED
from scrutineer.errors import ControlError, TransportError, UsageError
from scrutineer.statements import Bulletin, Decision, SigningKey, parse_statement

HERON, OWL = OFFICERS


@pytest.fixture
def here() -> Iterator[Officers]:
    officers = Officers()
    for number in (0, 5):
        officers.arrive(number)
    officers.wait()
    yield officers
    officers.close()


@pytest.fixture
def proposed(here: Officers) -> Proposal:
    return here.consent(here.freeze(HERON).id, HERON)


def refused(here: Officers, proposal: Proposal, who: str, why: str, **given: str) -> None:
    before = len(here.room.journal.events)
    with pytest.raises(ControlError, match=why):
        here.consent(proposal.id, who, **given)
    here.wait()
    assert len(here.room.journal.events) == before
    assert here.sent == []


def test_one_officer_is_not_two(here: Officers, proposed: Proposal) -> None:
    refused(here, proposed, HERON, "another officer has to confirm")
    assert proposed.state(here.now) == "open"


def test_the_passkey_of_another_is_not_ones_own(here: Officers, proposed: Proposal) -> None:
    refused(here, proposed, OWL, "another officer's passkey", hand=HERON)


def test_what_is_typed_has_to_be_there(here: Officers, proposed: Proposal) -> None:
    refused(here, proposed, OWL, "not what the draft says", word="17")
    refused(here, proposed, OWL, "not what the draft says", word=" ")


def test_only_who_made_a_draft_proposes_it(here: Officers) -> None:
    refused(here, here.freeze(HERON), OWL, "has not been proposed yet")


def test_drafts_and_proposals_expire(here: Officers) -> None:
    draft = here.freeze(HERON)
    here.now += DRAFT_LIFETIME
    refused(here, draft, HERON, "not open any more")
    proposal = here.consent(here.freeze(HERON).id, HERON)
    here.now += LIFETIME - 1
    assert proposal.state(here.now) == "open"
    here.now += 1
    refused(here, proposal, OWL, "not open any more")
    assert here.room.open_proposals() == []


def test_what_was_withdrawn_is_over(here: Officers, proposed: Proposal) -> None:
    with pytest.raises(ControlError, match="write the reason"):
        here.room.withdraw(proposed.id, OWL, "  ")
    here.room.withdraw(proposed.id, OWL, "Too early.")
    refused(here, proposed, OWL, "not open any more")
    with pytest.raises(ControlError, match="not open any more"):
        here.room.withdraw(proposed.id, OWL, "Too early.")


def test_two_bulletins_are_not_under_way_at_once(here: Officers, proposed: Proposal) -> None:
    refused(here, here.freeze(OWL), OWL, "under way")
    here.room.withdraw(proposed.id, OWL, "Too early.")
    assert here.consent(here.freeze(OWL).id, OWL).state(here.now) == "open"


def test_a_decision_needs_its_station_as_it_was(here: Officers) -> None:
    proposal = here.consent(here.freeze(HERON, decide=True).id, HERON)
    log = here.office.open_log()
    other = here.freeze(OWL, decide=True).draft.act()
    assert isinstance(other, Decision)
    log.append(here.office.sign(other, "decision"))
    log.close()
    here.wait()
    refused(here, proposal, OWL, "changed under this draft")


def test_keys_that_are_elsewhere_sign_nothing_here(here: Officers, proposed: Proposal) -> None:
    here.held = {HERON}
    refused(here, proposed, OWL, "too few officers")
    here.held = {HERON, "authority/officer-3"}
    refused(here, proposed, OWL, "not on this machine")


def test_an_officer_whose_passkeys_were_forgotten_is_out(here: Officers, proposed: Proposal) -> None:
    answer = here.devices[OWL].get(here.room.consent_options(proposed.id, OWL, proposed.draft.word))
    here.room.officers.forget(OWL)
    with pytest.raises(ControlError, match="not enrolled"):
        here.room.consent(proposed.id, OWL, proposed.draft.word, answer)


def test_what_is_signed_is_what_was_frozen(here: Officers, proposed: Proposal) -> None:
    here.arrive(1)  # It belongs to the next bulletin.
    here.wait()
    signed = here.consent(proposed.id, OWL)
    assert signed.state(here.now) == "signed"
    here.wait()
    ((first, second),) = here.sent
    statement = parse_statement(first)
    assert isinstance(statement.payload, Bulletin)
    assert statement.envelope.payload == proposed.draft.payload
    assert (statement.issuer, parse_statement(second).issuer) == (HERON, OWL)
    assert statement.payload.contests[0].counted == 1
    recorded = here.room.find(proposed.id)
    assert recorded.state(here.now) == "recorded"
    here.room.night.look()
    with here.room.night.hold() as count:
        act = count.act_of(recorded.index or 0)
        assert act is not None
        assert act.effective is not None
        assert set(act.signed) == {HERON, OWL}


@pytest.mark.parametrize("after", ["propose", "approve"])
def test_a_restart_goes_on_where_it_was(here: Officers, proposed: Proposal, after: str) -> None:
    here.line = False
    if after == "propose":
        here.start()
    here.consent(proposed.id, OWL)
    here.wait()
    assert here.room.sending == "no line"
    here.start()
    here.line = True
    here.wait()
    assert len(here.sent) == 1
    assert here.room.find(proposed.id).state(here.now) == "recorded"
    assert here.room.sending == ""
    here.start()
    here.wait()
    assert len(here.sent) == 1


def test_consent_without_signature_is_signed_after_a_restart(here: Officers, proposed: Proposal) -> None:
    def broken(*_: object) -> Proposal:
        raise KeyboardInterrupt  # The machine stops between the two lines of the journal.

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(here.room, "_sign", broken)
        with pytest.raises(KeyboardInterrupt):
            here.consent(proposed.id, OWL)
    assert here.room.find(proposed.id).state(here.now) == "agreed"
    here.start()
    here.wait()
    assert here.room.find(proposed.id).state(here.now) == "recorded"


def lose_signature(here: Officers, proposed: Proposal) -> None:
    """The second officer consents, and the machine stops before anything is signed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(here.room, "_sign", lambda _: None)
        here.consent(proposed.id, OWL)
    assert here.room.find(proposed.id).state(here.now) == "agreed"


def release_elsewhere(here: Officers) -> None:
    """Somebody at a terminal releases a bulletin meanwhile."""
    here.now += 1
    bulletin = next_bulletin(here.room.night, here.now)
    log = here.office.open_log()
    log.append(here.office.sign(bulletin, "bulletin"))
    log.close()


@pytest.mark.parametrize("signed", [False, True])
def test_what_the_count_has_changed_under_is_neither_signed_nor_sent(here: Officers, proposed: Proposal, signed: bool) -> None:
    if signed:
        here.line = False
        here.consent(proposed.id, OWL)
        here.wait()
        here.line = True
    else:
        lose_signature(here, proposed)
    release_elsewhere(here)
    here.start()
    here.wait()
    over = here.room.find(proposed.id)
    assert (over.state(here.now), over.reason) == ("withdrawn", "the count has changed under this draft: make a new one")
    assert here.room.journal.events[-1].what == "lapsed"
    assert here.sent == []


def test_a_lost_answer_is_asked_for_again(here: Officers, proposed: Proposal) -> None:
    here.line = False
    statements = here.consent(proposed.id, OWL).statements
    log = here.office.open_log()
    log.append(list(statements))  # It arrived; the answer did not.
    log.close()
    here.wait()
    here.line = True
    here.wait()
    assert here.sent == [statements]
    assert here.room.find(proposed.id).state(here.now) == "recorded"


def test_nothing_is_signed_on_a_count_that_is_behind(here: Officers, proposed: Proposal) -> None:
    other = here.freeze(OWL)
    here.consent(proposed.id, OWL)
    here.wait()
    assert here.room.find(proposed.id).state(here.now) == "recorded"
    # The count does not hold the bulletin yet, so that another one of this number looks possible.
    with pytest.raises(ControlError, match="still being read"):
        here.consent(other.id, OWL)
    here.wait()
    with pytest.raises(ControlError, match="changed under this draft"):
        here.consent(other.id, OWL)
    here.room.night.trouble = "no database"
    with pytest.raises(ControlError, match="still being read"):
        here.consent(other.id, OWL)


def test_a_stolen_passkey_leaves_no_consent_behind(here: Officers, proposed: Proposal) -> None:
    cookie = here.room.sessions.begin(HERON)
    here.room.officers.forget(HERON)
    here.room.journal.add("forgotten", "console", officer=HERON, passkey="")
    here.wait()
    with pytest.raises(ControlError, match="not open any more"):
        here.consent(proposed.id, OWL)
    assert here.room.find(proposed.id).state(here.now) == "withdrawn"
    assert here.room.sessions.find(cookie, touch=False) is None
    assert here.sent == []


def test_of_two_rooms_the_first_line_holds(here: Officers, proposed: Proposal) -> None:
    journal, digest = here.room.journal, proposed.draft.digest.hex()
    journal.add("approved", OWL, proposal=proposed.id, digest="00" * 32)
    here.wait()
    assert here.room.find(proposed.id).officers == (HERON,), "other bytes"
    for _ in range(2):
        journal.add("approved", OWL, proposal=proposed.id, digest=digest)
    journal.add("signed", OWL, proposal=proposed.id, statements=["AQ=="])
    journal.add("signed", OWL, proposal=proposed.id, statements=["Ag=="])
    journal.add("withdrawn", OWL, proposal=proposed.id, reason="Too late.")
    here.room.proposals.apply(journal.events)
    found = here.room.find(proposed.id)
    assert (found.officers, found.state(here.now), found.statements) == ((HERON, OWL), "signed", (b"\x01",))


def test_a_withdrawal_elsewhere_is_heard_before_anything_is_signed(here: Officers, proposed: Proposal) -> None:
    other = Journal(here.folder / "control/journal", lambda: here.now)
    other.add("withdrawn", OWL, proposal=proposed.id, reason="Too early.")
    answer = here.devices[OWL].get(here.room.consent_options(proposed.id, OWL, proposed.draft.word))
    with pytest.raises(ControlError, match="not open any more"):
        here.room.consent(proposed.id, OWL, proposed.draft.word, answer)
    assert [event.what for event in here.room.journal.events][-1] == "withdrawn"


def test_a_consent_counts_though_signing_has_to_wait(here: Officers, proposed: Proposal) -> None:
    def missing(*_: object) -> SigningKey:
        raise UsageError("the key cannot be read")

    options = here.room.consent_options(proposed.id, OWL, proposed.draft.word)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scrutineer.control.room.signed_release", missing)
        agreed = here.room.consent(proposed.id, OWL, proposed.draft.word, here.devices[OWL].get(options))
        assert agreed.state(here.now) == "agreed"
        here.wait()
        assert here.room.trouble == "the key cannot be read"
        assert here.room.services, "the rest goes on"
    here.wait()
    assert here.room.trouble == ""
    assert here.room.find(proposed.id).state(here.now) == "recorded"


@pytest.mark.parametrize("arrived", [False, True])
def test_killed_after_any_byte_of_the_journal_nothing_is_lost_or_done_twice(
    here: Officers, proposed: Proposal, arrived: bool
) -> None:
    journal, before, after = here.folder / "control/journal", here.place / "before", here.place / "after"
    start, size = journal.stat().st_size, here.room.night.count.size
    shutil.copytree(here.folder, before)
    here.consent(proposed.id, OWL)
    here.wait()
    shutil.copytree(here.folder, after)
    whole = journal.read_bytes()
    approved, signed, _recorded = whole[start:].splitlines(keepends=True)
    agreed, sent = start + len(approved), start + len(approved) + len(signed)
    # Nothing is sent before its signature stands in the journal. From then on, it may have arrived or not.
    for cut in (
        (sent, sent + 40, len(whole) - 1) if arrived else (start, start + 40, agreed - 1, agreed, agreed + 40, sent, sent + 40)
    ):
        shutil.rmtree(here.folder)
        shutil.copytree(after if arrived else before, here.folder)
        journal.write_bytes(whole[:cut])
        here.start()
        here.wait()
        found = here.room.find(proposed.id)
        assert found.state(here.now) == ("recorded" if cut >= agreed else "open")
        here.room.night.look()
        with here.room.night.hold() as count:
            assert len(count.bulletins) == (cut >= agreed)
            assert count.size == size + (2 if cut >= agreed else 0), "the statement and the endorsement, once each"
        if cut < agreed:
            assert here.consent(proposed.id, OWL).state(here.now) == "signed", "it goes on"


def test_while_sending_hangs_the_room_goes_on_and_ends(here: Officers, proposed: Proposal) -> None:
    hanging, let_go = threading.Event(), threading.Event()

    def submit(*_: object) -> int:
        hanging.set()
        let_go.wait(30)
        raise TransportError("no line")

    cookie = here.room.sessions.begin(HERON)
    here.room.machine = replace(here.room.machine, submit=submit)
    here.room.start()
    here.consent(proposed.id, OWL)
    assert hanging.wait(20)
    here.room.journal.add("forgotten", "console", officer=HERON, passkey="")
    for _ in range(200):
        if here.room.sessions.find(cookie, touch=False) is None:
            break
        time.sleep(0.05)
    else:
        raise AssertionError("whoever was forgotten is still in")
    here.room.stop()
    let_go.set()


def test_lines_that_say_nothing_of_a_proposal_keep_the_room_closed(here: Officers, proposed: Proposal) -> None:
    here.room.journal.add("approved", OWL, proposal=proposed.id)
    with pytest.raises(ControlError, match="put the whole file back"):
        here.start()


def test_nothing_is_signed_with_too_few(here: Officers, proposed: Proposal) -> None:
    for officers in ((), (HERON,), (HERON, HERON)):
        with pytest.raises(ControlError, match="too few"):
            signed_release(replace(proposed, officers=officers), here.office.election.hash, here.now, here.office.key_of)
    three = replace(proposed, needed=3, officers=(HERON, OWL))
    with pytest.raises(ControlError, match="too few"):
        signed_release(three, here.office.election.hash, here.now, here.office.key_of)


def test_a_decision_is_one_decision(here: Officers) -> None:
    with here.room.night.hold() as count:
        assert count.contests[0].status[5] == QUARANTINED
        entry = str(int(count.contests[0].sheet[5]))
    reason = {"reason": "No box."}
    for form, why in (
        ({}, "choose what"),
        ({"action": "accept"} | reason, "choose the sheet"),
        ({"action": "accept", "sheet": "1"} | reason, "choose the sheet"),
        ({"action": "accept", "sheet": entry}, "write the reason"),
        ({"action": "exclude", "reason": " "}, "write the reason"),
        ({"action": "exclude", "reason": "x" * 2_001}, "longer than"),
        ({"action": "correct", "sheet": entry} | reason, "no figure differs"),
        ({"action": "correct", "sheet": entry, "cast": "-1"} | reason, "not a whole number"),
        ({"action": "correct", "sheet": entry, "cast": "9" * 11} | reason, "not a whole number"),
    ):
        with pytest.raises(ControlError, match=why):
            here.room.freeze_decision(HERON, 0, 5, form)
    act = here.room.freeze_decision(HERON, 0, 5, {"action": "correct", "sheet": entry, "cast": "205"} | reason).draft.act()
    assert isinstance(act, Decision)
    assert act.after is not None
    assert (act.after.cast, act.after.blank, act.after.counts) == (205, 3, (100, 50, 30, 20))


@pytest.mark.parametrize(
    ("typed", "word"),
    [("12 345", "12345"), ("12,345", "12345"), ("١٢٣٤٥", "12345"), (" North-1 ", "north-1"), ("12.345", "12345")],
)
def test_numbers_may_be_typed_as_people_write_them(typed: str, word: str) -> None:
    assert normal(typed) == normal(word)


def test_other_numbers_are_other_numbers() -> None:
    assert normal("12346") != normal("12345")
    assert normal("north-1") != normal("north1")
    assert normal("-1") != normal("1")
