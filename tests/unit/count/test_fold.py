"""Decisions and who must sign them, openings, revocations, notes: everything but the sheets themselves."""

import pytest

from count_helpers import NOON, NORTHERN, OFFICERS, PRESIDENT, Ballots, key_of, make_election, rules_of, status_of
from scrutineer.count import Count, unit_result
from scrutineer.election import Contest, Option
from scrutineer.election.definition import Severity
from scrutineer.errors import CountError, StatementError
from scrutineer.statements import Attestation, Claim, ClaimedFigure, Decision, Figures, sign_statement, statement_hash

ONE, TWO, THREE = OFFICERS
FIGURES = Figures(counts=(48, 22, 10), blank=3, null=2, cast=85, voters=85, roll=100)


@pytest.fixture
def ballots() -> Ballots:
    """Decisions need one officer."""
    return Ballots(make_election())


@pytest.fixture
def pair() -> Ballots:
    """Decisions need two officers."""
    return Ballots(make_election(thresholds={"decision": 2}))


def votes(count: Count, unit: str = "country") -> tuple[int, ...]:
    return unit_result(count, 0, count.election.units.position(unit)).votes


# --- decisions ----------------------------------------------------------------------------------------------------


def test_accepting_one_of_two_sheets_counts_that_one(ballots: Ballots) -> None:
    first, second = ballots.sheet("a1"), ballots.sheet("a1", (49, 21, 10))
    for chosen, expected in ((first, (50, 20, 10)), (second, (49, 21, 10))):
        count = ballots.count(first, second, ballots.accept(chosen, "a1"))
        assert status_of(count, "a1") == "counted"
        assert votes(count) == votes(count, "a1") == expected
        state = count.contests[0]
        assert state.hashes[0].tobytes() == statement_hash(chosen)
        assert state.decided == {0: 2}


def test_correcting_a_sheet_counts_the_figures_of_the_decision(ballots: Ballots) -> None:
    slip = ballots.sheet("a1", cast=84)
    count = ballots.count(slip, ballots.correct(slip, "a1", FIGURES))
    assert votes(count) == (48, 22, 10)
    assert [record.figures.tolist()[:3] for record in count.contests[0].sheets_of(0)] == [[50, 20, 10]]


def test_unknown_figures_of_a_correction_stay_unknown(ballots: Ballots) -> None:
    slip = ballots.sheet("a1", cast=84)
    count = ballots.count(slip, ballots.correct(slip, "a1", Figures(counts=(48, 22, 10))))
    result = unit_result(count, 0, 0)
    assert (result.blank, result.null, result.voters, result.ballots) == (None, None, None, 80)


def test_excluding_keeps_a_station_out_until_the_next_decision(ballots: Ballots) -> None:
    sheet = ballots.sheet("a1")
    count = ballots.count(sheet, ballots.exclude("a1"))
    assert status_of(count, "a1") == "excluded"
    assert votes(count) == (0, 0, 0)
    count.apply([ballots.accept(sheet, "a1")])
    assert status_of(count, "a1") == "counted"


def test_a_station_excluded_before_it_sent_anything_stays_excluded(ballots: Ballots) -> None:
    sheet = ballots.sheet("a1")
    count = ballots.count(ballots.exclude("a1"), sheet)
    assert status_of(count, "a1") == "excluded"
    assert votes(count) == (0, 0, 0)
    assert len(count.contests[0].sheets_of(0)) == 1
    count.apply([ballots.accept(sheet, "a1")])
    assert votes(count) == (50, 20, 10)


def test_every_sheet_of_a_station_excluded_at_first_is_kept(ballots: Ballots) -> None:
    first, second = ballots.sheet("a1"), ballots.sheet("a1", (49, 21, 10))
    count = ballots.count(ballots.exclude("a1"), first, second)
    assert [record.hash for record in count.contests[0].sheets_of(0)] == [statement_hash(first), statement_hash(second)]
    assert status_of(count, "a1") == "quarantined"


def test_a_contradictory_sheet_after_a_decision_quarantines_again(ballots: Ballots) -> None:
    first, second = ballots.sheet("a1"), ballots.sheet("a1", (49, 21, 10))
    count = ballots.count(first, second, ballots.accept(first, "a1"))
    third = ballots.sheet("a1", (51, 19, 10))
    count.apply([third])
    assert (status_of(count, "a1"), rules_of(count, "a1")) == ("quarantined", ("conflict",))
    assert votes(count) == (0, 0, 0)
    assert count.contests[0].decided == {}
    count.apply([ballots.accept(third, "a1")])
    assert votes(count) == (51, 19, 10)


@pytest.mark.parametrize("counts", [(50, 20, 10), (49, 21, 10)])
def test_a_known_sheet_sent_again_after_a_decision_changes_nothing(ballots: Ballots, counts: tuple[int, ...]) -> None:
    first, second = ballots.sheet("a1"), ballots.sheet("a1", (49, 21, 10))
    count = ballots.count(first, second, ballots.accept(first, "a1"), ballots.sheet("a1", counts, time=NOON + 60))
    assert status_of(count, "a1") == "counted"
    assert votes(count) == (50, 20, 10)


def test_a_sheet_that_states_the_corrected_figures_contradicts_nothing(ballots: Ballots) -> None:
    slip = ballots.sheet("a1", cast=84)
    count = ballots.count(slip, ballots.correct(slip, "a1", FIGURES), ballots.sheet("a1", (48, 22, 10)))
    assert (status_of(count, "a1"), votes(count)) == ("counted", (48, 22, 10))
    count.apply([ballots.sheet("a1", (47, 23, 10))])
    assert status_of(count, "a1") == "quarantined"


def test_a_decision_that_names_a_foreign_sheet_is_noted_and_changes_nothing(ballots: Ballots) -> None:
    own, foreign = ballots.sheet("a1", cast=84), ballots.sheet("a2")
    count = ballots.count(own, foreign, ballots.accept(foreign, "a1"), ballots.correct(foreign, "a1", FIGURES))
    assert status_of(count, "a1") == "quarantined"
    assert [index for index, _ in count.notes] == [2, 3]
    assert "a sheet that this station did not send" in count.notes[0][1]


def test_a_decision_that_is_logged_before_its_sheet_is_noted(ballots: Ballots) -> None:
    sheet = ballots.sheet("a1", cast=84)
    count = ballots.count(ballots.accept(sheet, "a1"), sheet)
    assert status_of(count, "a1") == "quarantined"
    assert len(count.notes) == 1


def test_a_correction_with_the_wrong_number_of_counts_is_noted(ballots: Ballots) -> None:
    sheet = ballots.sheet("a1", cast=84)
    count = ballots.count(sheet, ballots.correct(sheet, "a1", Figures(counts=(1, 2))))
    assert status_of(count, "a1") == "quarantined"
    assert "2 counts for 3 options" in count.notes[0][1]


@pytest.mark.parametrize(("station", "contest"), [("z9", "president"), ("a1", "queen"), ("b1", "mayor")])
def test_a_decision_about_what_does_not_exist_is_noted(station: str, contest: str) -> None:
    mayor = Contest("mayor", "Mayor", "plurality", PRESIDENT.options, unit="north")
    ballots = Ballots(make_election([PRESIDENT, mayor]))
    count = ballots.count(ballots.exclude(station, contest=contest))
    assert len(count.notes) == 1
    assert unit_result(count, 1, 0).excluded == 0
    assert unit_result(count, 1, 0).outstanding == 3


def test_the_later_of_two_decisions_holds(ballots: Ballots) -> None:
    first, second = ballots.sheet("a1"), ballots.sheet("a1", (49, 21, 10))
    count = ballots.count(first, second, ballots.accept(first, "a1"), ballots.accept(second, "a1"))
    assert votes(count) == (49, 21, 10)


# --- k of n -------------------------------------------------------------------------------------------------------


def test_a_decision_takes_effect_at_the_second_signature(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = pair.accept(sheet, "a1")
    count = pair.count(sheet, decision)
    assert status_of(count, "a1") == "quarantined"
    count.apply([pair.endorse(decision, ONE)])
    assert status_of(count, "a1") == "quarantined", "the same officer twice"
    count.apply([pair.endorse(decision, TWO)])
    assert status_of(count, "a1") == "counted"
    act = count.act_of(1)
    assert act is not None
    assert (act.signed, act.refused, act.effective) == ({ONE: 1, TWO: 3}, {}, 3)
    assert count.act_of(0) is None


@pytest.mark.parametrize("action", ["accept", "correct", "exclude"])
def test_every_kind_of_decision_waits(pair: Ballots, action: str) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = {
        "accept": pair.accept(sheet, "a1"),
        "correct": pair.correct(sheet, "a1", FIGURES),
        "exclude": pair.exclude("a1"),
    }[action]
    count = pair.count(sheet, decision)
    assert status_of(count, "a1") == "quarantined"
    count.apply([pair.endorse(decision)])
    assert status_of(count, "a1") == ("excluded" if action == "exclude" else "counted")


def test_a_refusal_is_no_signature_and_can_be_taken_back(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = pair.accept(sheet, "a1")
    count = pair.count(sheet, decision, pair.endorse(decision, TWO, refuse=True))
    act = count.act_of(1)
    assert act is not None
    assert (status_of(count, "a1"), act.refused) == ("quarantined", {TWO: 2})
    count.apply([pair.endorse(decision, TWO)])
    assert (status_of(count, "a1"), act.refused) == ("counted", {})


def test_a_refusal_by_one_does_not_stop_two_others(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = pair.accept(sheet, "a1")
    count = pair.count(sheet, decision, pair.endorse(decision, TWO, refuse=True), pair.endorse(decision, THREE))
    assert status_of(count, "a1") == "counted"


def test_a_refusal_after_signing_changes_nothing(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = pair.accept(sheet, "a1")
    count = pair.count(sheet, decision, pair.endorse(decision, ONE, refuse=True), pair.endorse(decision, TWO))
    act = count.act_of(1)
    assert act is not None
    assert (status_of(count, "a1"), act.refused) == ("counted", {})


def test_an_endorsement_may_be_logged_before_what_it_endorses(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = pair.accept(sheet, "a1")
    count = pair.count(sheet, pair.endorse(decision, TWO), decision)
    assert status_of(count, "a1") == "counted"
    act = count.act_of(2)
    assert act is not None
    assert act.effective == 2


def test_only_officers_count(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = pair.accept(sheet, "a1")
    count = pair.count(sheet, decision, pair.endorse(decision, "agent/plover"), pair.endorse(decision, "station/a1"))
    assert status_of(count, "a1") == "quarantined"
    assert len(count.endorsements) == 2


def test_an_officer_counts_within_scope_alone(pair: Ballots) -> None:
    for station, expected in (("a1", "counted"), ("b1", "quarantined")):
        sheet = pair.sheet(station, cast=84)
        decision = pair.accept(sheet, station)
        assert status_of(pair.count(sheet, decision, pair.endorse(decision, NORTHERN)), station) == expected


def test_an_officer_whose_key_was_revoked_does_not_count(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = pair.accept(sheet, "a1")
    count = pair.count(sheet, decision, pair.revoke(TWO), pair.endorse(decision, TWO))
    assert status_of(count, "a1") == "quarantined"
    count.apply([pair.endorse(decision, THREE)])
    assert status_of(count, "a1") == "counted"


def test_a_key_that_nobody_has_does_not_count(pair: Ballots) -> None:
    sheet = pair.sheet("a1", cast=84)
    decision = Decision(
        election=pair.election.hash,
        station="a1",
        contest="president",
        action="accept",
        sheet=statement_hash(sheet),
        reason="The paper sheet says so.",
    )
    foreign = sign_statement(decision, ONE, key_of("authority/nobody"))
    assert status_of(pair.count(sheet, foreign, pair.endorse(foreign, TWO)), "a1") == "quarantined"


def test_a_revocation_that_needs_two_waits_for_the_second() -> None:
    ballots = Ballots(make_election(thresholds={"accreditation": 2}))
    revocation = ballots.revoke("station/a1")
    count = ballots.count(revocation, ballots.sheet("a1"), ballots.revoke("station/a2"))
    assert rules_of(count, "a1") == ()
    count.apply([ballots.endorse(revocation), ballots.sheet("a1", time=NOON + 60), ballots.sheet("a1", (49, 21, 10))])
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (("key-revoked-later",), "counted")
    assert sheets_of(count, "a1") == [("key-revoked-later",), ("revoked-key",), ("revoked-key",)]


# --- keys that are revoked ----------------------------------------------------------------------------------------


def sheets_of(count: Count, station: str) -> list[tuple[str, ...]]:
    """The rules that each sheet of a station fails, in log order."""
    number = count.election.units.station_index[station]
    return [count.book.names(record.flags) for record in count.contests[0].sheets_of(number)]


NEW_KEY = key_of("the new device")


def test_what_came_in_before_a_revocation_stays_and_is_flagged() -> None:
    ballots = Ballots(make_election(thresholds={"accreditation": 3}))
    before, between, revocation = ballots.sheet("a1"), ballots.sheet("a1", (49, 21, 10)), ballots.revoke("station/a1")
    count = ballots.count(before, revocation, ballots.endorse(revocation, TWO))
    assert (sheets_of(count, "a1"), status_of(count, "a1")) == ([()], "counted")
    # Two of three have signed: the key still speaks for the station, and contradicts itself.
    count.apply([between])
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (("conflict",), "quarantined")
    count.apply([ballots.endorse(revocation, THREE)])
    assert sheets_of(count, "a1") == [("key-revoked-later",), ("key-revoked-later",)]
    count.apply([ballots.accept(before, "a1")])
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (("key-revoked-later",), "counted")


@pytest.mark.parametrize("counts", [(50, 20, 10), (10, 20, 50)], ids=["the same figures", "other figures"])
def test_a_revoked_key_cannot_put_a_counted_station_into_quarantine(ballots: Ballots, counts: tuple[int, ...]) -> None:
    count = ballots.count(ballots.sheet("a1"), ballots.revoke("station/a1"), ballots.sheet("a1", counts, time=NOON + 1))
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (("key-revoked-later",), "counted")
    assert sheets_of(count, "a1")[1] == ("revoked-key",)
    assert votes(count) == (50, 20, 10)


@pytest.mark.parametrize("counts", [(50, 20, 10), (10, 20, 50)], ids=["the same figures", "other figures"])
def test_a_revoked_key_cannot_come_before_the_new_key(ballots: Ballots, counts: tuple[int, ...]) -> None:
    count = ballots.count(ballots.revoke("station/a1"), ballots.admit("station/a1", NEW_KEY), ballots.sheet("a1", counts))
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (("revoked-key",), "quarantined")
    count.apply([ballots.sheet("a1", key=NEW_KEY)])
    assert (rules_of(count, "a1"), status_of(count, "a1")) == ((), "counted")
    assert votes(count) == (50, 20, 10)
    count.apply([ballots.sheet("a1", (1, 2, 3), key=NEW_KEY)])
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (("conflict",), "quarantined")


def test_a_decision_lets_a_held_sheet_count_and_the_new_key_can_contradict_it(ballots: Ballots) -> None:
    held = ballots.sheet("a1")
    count = ballots.count(ballots.revoke("station/a1"), ballots.admit("station/a1", NEW_KEY), held, ballots.accept(held, "a1"))
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (("revoked-key",), "counted")
    count.apply([ballots.sheet("a1", time=NOON + 1, key=NEW_KEY)])
    assert status_of(count, "a1") == "counted"
    count.apply([ballots.sheet("a1", (1, 2, 3), key=NEW_KEY)])
    assert status_of(count, "a1") == "quarantined"


def test_a_station_that_is_excluded_stays_so_when_the_new_key_sends(ballots: Ballots) -> None:
    count = ballots.count(
        ballots.exclude("a1"),
        ballots.revoke("station/a1"),
        ballots.admit("station/a1", NEW_KEY),
        ballots.sheet("a1"),
        ballots.sheet("a1", (1, 2, 3), key=NEW_KEY),
    )
    assert status_of(count, "a1") == "excluded"


@pytest.mark.parametrize("revoked", ["old", "new"])
@pytest.mark.parametrize("together", [True, False], ids=["in one stretch", "entry by entry"])
@pytest.mark.parametrize("many", [0, 80], ids=["read singly", "read as a batch"])
def test_only_the_sheets_of_the_revoked_key_are_flagged(revoked: str, together: bool, many: int) -> None:
    ballots = Ballots(make_election())
    entries = [ballots.sheet("a1"), ballots.sheet("a2"), ballots.admit("station/a1", NEW_KEY)]
    entries += [ballots.sheet("b1", time=NOON + second) for second in range(many)]
    entries += [ballots.sheet("a1", time=NOON + 1, key=NEW_KEY), ballots.sheet("a1", time=NOON + 2)]
    entries.append(ballots.revoke("station/a1", key=NEW_KEY if revoked == "new" else None))
    count = ballots.count(*entries) if together else ballots.count()
    if not together:
        for entry in entries:
            count.apply([entry])
    flagged = [("key-revoked-later" in rules) for rules in sheets_of(count, "a1")]
    assert flagged == ([False, True, False] if revoked == "new" else [True, False, True])
    assert rules_of(count, "a2") == ()


def test_revoking_a_key_again_flags_nothing_more(ballots: Ballots) -> None:
    count = ballots.count(ballots.revoke("station/a1"), ballots.sheet("a1"), ballots.revoke("station/a1", by=TWO))
    assert sheets_of(count, "a1") == [("revoked-key",)]


@pytest.mark.parametrize(
    ("severity", "rules", "status"), [("off", (), "counted"), ("error", ("key-revoked-later",), "quarantined")]
)
def test_a_definition_can_change_what_a_late_revocation_means(severity: Severity, rules: tuple[str, ...], status: str) -> None:
    ballots = Ballots(make_election(rules={"key-revoked-later": severity}))
    count = ballots.count(ballots.sheet("a1"), ballots.revoke("station/a1"))
    assert (rules_of(count, "a1"), status_of(count, "a1")) == (rules, status)


# --- openings -----------------------------------------------------------------------------------------------------


def test_an_opening_that_arrives_after_the_sheet_is_taken_into_account() -> None:
    ballots = Ballots(make_election(opening_required=True))
    count = ballots.count(ballots.sheet("a1"), ballots.sheet("a2"))
    assert status_of(count, "a1") == "quarantined"
    count.apply([ballots.opening("a1"), ballots.opening("a2", NOON + 1)])
    assert [status_of(count, station) for station in ("a1", "a2")] == ["counted", "quarantined"]
    assert count.openings == {0: 2, 1: 3}


def test_a_late_opening_is_taken_into_account_where_a_station_sent_several_sheets() -> None:
    ballots = Ballots(make_election(opening_required=True))
    first, again = ballots.sheet("a1"), ballots.sheet("a1", time=NOON + 60)
    entries = [first, again, ballots.opening("a1")]
    count = ballots.count(*entries)
    assert (status_of(count, "a1"), rules_of(count, "a1")) == ("counted", ("duplicate",))
    assert [record.flags for record in count.contests[0].sheets_of(0)] == [0, 0]
    early = ballots.count(ballots.sheet("a2"), ballots.sheet("a2", (1, 2, 3)), ballots.opening("a2"))
    assert (status_of(early, "a2"), rules_of(early, "a2")) == ("quarantined", ("conflict",))


def test_sending_a_sheet_twice_does_not_evade_a_late_opening() -> None:
    ballots = Ballots(make_election())
    count = ballots.count(ballots.sheet("a1"), ballots.sheet("a1", time=NOON + 60), ballots.opening("a1", NOON + 30))
    assert (status_of(count, "a1"), rules_of(count, "a1")) == ("quarantined", ("before-opening", "duplicate"))


def test_an_opening_does_not_undo_a_decision() -> None:
    ballots = Ballots(make_election())
    sheet = ballots.sheet("a1", cast=84)
    count = ballots.count(sheet, ballots.accept(sheet, "a1"), ballots.opening("a1", NOON + 1))
    assert status_of(count, "a1") == "counted"
    excluded = ballots.count(ballots.sheet("a2"), ballots.exclude("a2"), ballots.opening("a2"))
    assert status_of(excluded, "a2") == "excluded"


def test_an_opening_keeps_what_else_was_found(ballots: Ballots) -> None:
    count = ballots.count(ballots.revoke("station/a1"), ballots.sheet("a1"), ballots.sheet("a2", cast=84), ballots.opening("a2"))
    assert [rules_of(count, station) for station in ("a1", "a2")] == [("revoked-key",), ("sum",)]


def test_the_first_opening_holds(ballots: Ballots) -> None:
    count = ballots.count(ballots.opening("a1", NOON), ballots.opening("a1", NOON - 60), ballots.sheet("a1", time=NOON - 30))
    assert rules_of(count, "a1") == ("before-opening",)
    assert "a second time" in count.notes[0][1]


def test_openings_that_mean_nothing_are_noted(ballots: Ballots) -> None:
    count = ballots.count(ballots.opening("z9"), ballots.revoke("station/a1"), ballots.opening("a1"))
    assert [index for index, _ in count.notes] == [0, 2]
    assert count.openings == {}


# --- several contests, other statements ---------------------------------------------------------------------------


def test_contests_are_counted_apart() -> None:
    mayor = Contest("mayor", "Mayor", "plurality", (Option("dunlin", "Dunlin"), Option("avocet", "Avocet")), unit="south")
    ballots = Ballots(make_election([PRESIDENT, mayor]))
    local = ballots.sheet("b1", (30, 50), contest="mayor")
    other = ballots.sheet("b1", (31, 49), contest="mayor")
    count = ballots.count(ballots.sheet("b1"), local, other)
    assert [status_of(count, "b1", contest) for contest in (0, 1)] == ["counted", "quarantined"]
    count.apply([ballots.accept(other, "b1", contest="mayor")])
    assert unit_result(count, 1, 0).votes == (31, 49)
    assert unit_result(count, 0, 0).votes == (50, 20, 10)


def test_a_sheet_of_another_contest_cannot_be_accepted() -> None:
    second = Contest("speaker", "Speaker", "plurality", PRESIDENT.options)
    ballots = Ballots(make_election([PRESIDENT, second]))
    sheet = ballots.sheet("a1", contest="speaker")
    count = ballots.count(sheet, ballots.accept(sheet, "a1"))
    assert status_of(count, "a1") == "outstanding"
    assert len(count.notes) == 1


def test_rankings_cannot_be_corrected_by_figures() -> None:
    warden = Contest("warden", "Warden", "ranked", PRESIDENT.options)
    ballots = Ballots(make_election([warden]))
    sheet = ballots.ranked("a1", {(0, 1): 5, (2,): 4}, cast=10, voters=10)
    for after in (Figures(counts=(5, 0, 4)), Figures(counts=())):
        count = ballots.count(sheet, ballots.correct(sheet, "a1", after, contest="warden"))
        assert status_of(count, "a1") == "quarantined"
        assert "corrects rankings" in count.notes[0][1]


def test_the_rankings_of_the_accepted_sheet_count() -> None:
    warden = Contest("warden", "Warden", "ranked", PRESIDENT.options)
    ballots = Ballots(make_election([warden]))
    # The same first preferences and figures, other orders behind them: that is a contradiction too.
    first, second = ballots.ranked("a1", {(0, 1): 5, (2,): 4}), ballots.ranked("a1", {(0, 2): 5, (2,): 4})
    count = ballots.count(first, second)
    assert rules_of(count, "a1") == ("conflict",)
    count.apply([ballots.accept(second, "a1", contest="warden")])
    assert count.contests[0].rankings[0] == (((0, 2), 5), ((2,), 4))


def test_statements_that_change_no_figure_are_kept(ballots: Ballots) -> None:
    copy = Attestation(election=ballots.election.hash, station="a1", contest="president", counts=(50, 20, 10))
    sheet = ballots.sheet("a1")
    count = ballots.count(ballots.sign(copy, "agent/plover"), sheet, ballots.endorse(sheet, "agent/plover"))
    assert [recorded.index for recorded in count.attestations] == [0]
    assert [recorded.index for recorded in count.endorsements] == [2]
    assert count.size == 3
    assert not count.acts


def test_a_claim_is_kept_and_changes_nothing(ballots: Ballots) -> None:
    quoted = Claim(
        election=ballots.election.hash,
        contest="president",
        announced_by="The Aviary Gazette",
        announced_at="in the evening",
        source="page 1",
        figures=(ClaimedFigure(name="Heron", votes=10**9),),
    )
    sheet = ballots.sheet("a1")
    count = ballots.count(ballots.sign(quoted, "agent/plover"), sheet)
    assert [recorded.index for recorded in count.claims] == [0]
    alone = ballots.count(sheet)
    assert count.contests[0].totals(0).tolist() == alone.contests[0].totals(0).tolist()
    assert not count.acts


def test_an_entry_may_be_passed_over(ballots: Ballots) -> None:
    count = Count(ballots.election)
    count.pass_over()
    count.apply([ballots.sheet("a1")])
    assert (count.size, int(count.contests[0].sheet[0])) == (2, 1)


# --- bytes that no intake admits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [b"", b"\xd2", b"\xd2\x84\x40\xa0\x40\x40", b"not a statement"])
def test_an_entry_that_is_no_statement_is_refused(ballots: Ballots, entry: bytes) -> None:
    with pytest.raises(StatementError):
        ballots.count(entry)


@pytest.mark.parametrize("damage", [slice(0, 150), slice(0, -70)])
def test_a_cut_sheet_is_refused_with_its_place_in_the_log(ballots: Ballots, damage: slice) -> None:
    with pytest.raises(CountError, match="entry 1 of the log"):
        ballots.count(ballots.sheet("a1"), ballots.sheet("a2")[damage])


def test_a_sheet_whose_figures_are_no_counts_is_refused(ballots: Ballots) -> None:
    sheet = ballots.sheet("a1", (50, 20, 10), blank=None, null=None, cast=2**31 - 1)
    entry = sheet.replace(b"\x07\x1a\x7f\xff\xff\xff", b"\x07\x1a\x80\x00\x00\x00")
    assert entry != sheet
    with pytest.raises(CountError, match="holds no counts"):
        ballots.count(entry)
