from collections.abc import Callable, Iterable

import msgspec
import pytest

from observed_samples import AGENT, CLERK, OWL, PRESIDENT, WATCH, Said, admit, copy, made_up, observed, revoke, rows, sheet, sign
from portal_helpers import OFFICER
from scrutineer.count import Count
from scrutineer.election import Election
from scrutineer.observation import Difference, Observations, StationObservations
from scrutineer.statements import Decision, Endorsement, Figures

BLANK, NULL, CAST, VOTERS, ROLL = range(3, 8)
PEOPLE = ((WATCH, "Bird Watch", ""), (OWL, "Owl", ""), (AGENT, "Rosa Egret", "north"), (CLERK, "", "n0"))


def count_of(what: Callable[[Election], Iterable[Said]]) -> Count:
    def all_of(election: Election) -> Iterable[Said]:
        yield from (admit(election, issuer, name, unit) for issuer, name, unit in PEOPLE)
        yield from what(election)

    return made_up(rows(), (PRESIDENT,), all_of).record.count


def of_n0(what: Callable[[Election], Iterable[Said]]) -> StationObservations:
    return Observations.of(count_of(what)).of_station(0, 0)


def test_nothing_said_is_nothing_observed() -> None:
    observations = Observations.of(count_of(lambda election: [sheet(election, "n0", (10, 5, 1))]))
    assert observations.of_station(0, 0) == StationObservations()
    assert observations.stations(0) == []
    assert observations.witnesses() == ()
    assert observations.tally(0).copied == 0


def test_a_copy_with_the_same_figures_agrees_and_what_it_leaves_out_is_not_compared() -> None:
    (own,) = of_n0(lambda e: [sheet(e, "n0", (10, 5, 1)), copy(e, WATCH, "n0", (10, None, 1), roll=500)]).copies
    assert own.state == "agrees"
    assert (own.equal, own.differing, own.unstated) == (3, (), 5)
    assert own.speaker.name == "Bird Watch"
    assert own.speaker.role == "observer"
    assert own.sheet == 5
    assert own.reads_as == (5,)


def test_a_copy_that_reads_otherwise_says_in_which_figures() -> None:
    (own,) = of_n0(lambda e: [sheet(e, "n0", (201, 5, 1)), copy(e, WATCH, "n0", (210, 5, 1), blank=0, null=2)]).copies
    assert own.state == "differs"
    assert own.differing == (Difference(0, 210, 201), Difference(BLANK, 0, 4))
    assert own.equal == 3
    assert own.reads_as == ()


def test_a_zero_in_the_copy_is_a_figure_and_an_unknown_on_the_sheet_is_none() -> None:
    (own,) = of_n0(lambda e: [sheet(e, "n0", (20, 5, 1), blank=None), copy(e, WATCH, "n0", (None, None, 0), blank=7)]).copies
    assert own.differing == (Difference(2, 0, 1),)
    (silent,) = of_n0(lambda e: [sheet(e, "n0", (20, 5, 1), blank=None), copy(e, WATCH, "n0", (None,) * 3, blank=7)]).copies
    assert silent.state == "nothing-to-compare"


def test_a_copy_of_a_station_without_a_sheet_is_shown_and_compared_with_nothing() -> None:
    observations = Observations.of(count_of(lambda e: [copy(e, WATCH, "n0", (0, 0, 0))]))
    (own,) = observations.of_station(0, 0).copies
    assert (own.state, own.sheet, own.equal, own.unstated, own.reads_as) == ("no-sheet", None, 0, 0, ())
    assert observations.tally(0).uncompared == 1


def test_the_order_of_copy_and_sheet_in_the_log_does_not_matter() -> None:
    (own,) = of_n0(lambda e: [copy(e, WATCH, "n0", (10, 5, 1)), sheet(e, "n0", (10, 5, 1))]).copies
    assert own.state == "agrees"


def test_a_newer_copy_by_the_same_sender_stands_and_the_older_stays_visible() -> None:
    def what(e: Election) -> Iterable[Said]:
        return [
            sheet(e, "n0", (201, 5, 1)),
            copy(e, WATCH, "n0", (210, 5, 1)),
            copy(e, OWL, "n0", (210, 5, 1)),
            copy(e, WATCH, "n0", (201, 5, 1)),
        ]

    observations = Observations.of(count_of(what))
    assert [(c.superseded, c.state) for c in observations.of_station(0, 0).copies] == [
        (True, "differs"),
        (False, "differs"),
        (False, "agrees"),
    ]
    tally = observations.tally(0)
    assert (tally.copied, tally.agreeing, tally.differing) == (1, 0, 1)
    assert [(w.speaker.issuer, w.copies, w.agreeing, w.differing) for w in observations.witnesses()] == [
        (WATCH, 1, 1, 0),
        (OWL, 1, 0, 1),
    ]


def test_a_corrected_station_is_compared_with_the_figures_in_effect() -> None:
    def what(e: Election) -> Iterable[Said]:
        wrong = sheet(e, "n0", (54, 5, 1))
        figures = Figures(counts=(45, 5, 1))
        yield wrong
        yield copy(e, WATCH, "n0", (45, 5, 1))
        yield copy(e, OWL, "n0", (54, 5, 1))
        yield (
            OFFICER,
            Decision(
                election=e.hash,
                station="n0",
                contest="president",
                action="correct",
                sheet=sign(e, OWL, wrong)[1].statement,  # type: ignore[union-attr]
                after=figures,
                reason="Two digits had changed places.",
            ),
        )

    first, second = of_n0(what).copies
    assert (first.state, second.state) == ("agrees", "differs")
    assert second.reads_as == (5,)


def test_a_copy_may_read_as_another_sheet_of_the_station() -> None:
    def what(e: Election) -> Iterable[Said]:
        return [sheet(e, "n0", (10, 5, 1)), sheet(e, "n0", (10, 6, 1)), copy(e, WATCH, "n0", (10, 6, 1))]

    (own,) = of_n0(what).copies
    assert (own.state, own.sheet, own.reads_as) == ("differs", 5, (6,))


def test_signatures_and_refusals_with_who_and_why() -> None:
    def what(e: Election) -> Iterable[Said]:
        first, second = sheet(e, "n0", (10, 5, 1)), sheet(e, "n0", (10, 6, 1))
        return [sign(e, CLERK, first), first, second, sign(e, AGENT, second, "Counted behind closed doors.")]

    signed, refused = of_n0(what).countersignatures
    assert (signed.index, signed.sheet, signed.verdict, signed.speaker.role) == (5, 6, "sign", "poll-worker")
    assert (refused.index, refused.sheet, refused.verdict) == (8, 7, "refuse")
    assert refused.reason == "Counted behind closed doors."
    assert refused.in_scope
    observations = Observations.of(count_of(what))
    tally = observations.tally(0)
    assert (tally.signed, tally.refused) == (1, 1)


def test_who_signs_for_another_place_is_marked() -> None:
    (own,) = of_n0(lambda e: [sheet(e, "n0", (1, 2, 3)), sign(e, AGENT, sheet(e, "n0", (1, 2, 3)))]).countersignatures
    assert own.in_scope

    def what(e: Election) -> Iterable[Said]:
        return [sheet(e, "s0", (1, 2, 3)), sign(e, AGENT, sheet(e, "s0", (1, 2, 3)))]

    (other,) = Observations.of(count_of(what)).of_station(6, 0).countersignatures
    assert not other.in_scope


@pytest.mark.parametrize(("before", "state"), [(True, "revoked-before"), (False, "revoked-later")])
def test_what_a_revoked_key_signed_is_marked(*, before: bool, state: str) -> None:
    def what(e: Election) -> Iterable[Said]:
        first = sheet(e, "n0", (10, 5, 1))
        says = [copy(e, OWL, "n0", (9, 5, 1)), sign(e, OWL, first)]
        yield first
        yield from [revoke(e, OWL), *says] if before else [*says, revoke(e, OWL)]

    observations = Observations.of(count_of(what))
    said = observations.of_station(0, 0)
    assert {own.key for own in (*said.copies, *said.countersignatures)} == {state}
    assert observations.tally(0).differing == (0 if before else 1)
    assert observations.tally(0).signed == (0 if before else 1)
    assert bool(observations.witnesses()) is not before
    assert observations.differing(0) == ([] if before else [0])


def test_a_key_that_is_revoked_a_second_time_was_not_valid_in_between() -> None:
    def what(e: Election) -> Iterable[Said]:
        officer, revocation = revoke(e, OWL)
        yield sheet(e, "n0", (10, 5, 1))
        yield officer, revocation
        yield copy(e, OWL, "n0", (9, 5, 1))
        yield officer, msgspec.structs.replace(revocation, reason="It was found with somebody else.")

    observations = Observations.of(count_of(what))
    assert [own.key for own in observations.of_station(0, 0).copies] == ["revoked-before"]
    assert observations.tally(0).differing == 0


def test_an_endorsement_of_no_sheet_is_nobodys() -> None:
    def what(e: Election) -> Iterable[Said]:
        yield sheet(e, "n0", (10, 5, 1))
        yield OWL, Endorsement(election=e.hash, statement=b"\x07" * 32, verdict="sign")
        yield OFFICER, Decision(election=e.hash, station="n1", contest="president", action="exclude", reason="Burnt.")

    assert Observations.of(count_of(what)).stations(0) == []


def test_totals_of_an_election_with_everything() -> None:
    observations = Observations.of(observed().record.count)
    tally = observations.tally(0)
    assert (tally.copied, tally.agreeing, tally.differing, tally.uncompared) == (5, 2, 2, 1)
    assert observations.differing(0) == [1, 3]
    assert observations.tally(1).copied == 0
    assert observations.stations(0) == [0, 1, 2, 3, 5]


def test_equal_observations_print_alike() -> None:
    first, second = (Observations.of(observed().record.count) for _ in range(2))
    assert all(repr(first.of_station(n, 0)) == repr(second.of_station(n, 0)) for n in range(8))
