"""Every number of the worked announcements, exactly: what they allow, what they support, and what they do not decide."""

from dataclasses import replace
from fractions import Fraction

import pytest

from claim_samples import EARLIER_2013, FIRST, FLORIDA, LATER_2013, LATER_2013_VOTES, SECOND, SECOND_PERCENTAGES, SECOND_VOTES
from scrutineer.calls.claims.agreement import agreement, base_fit, counted_span
from scrutineer.calls.claims.announcement import Figure
from scrutineer.calls.claims.computed import computed, family, option_test, part_tests
from scrutineer.calls.claims.holm import holm
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.reach import fewest_added, largest_shift, reach
from scrutineer.calls.claims.rounding import Span, inferred_rule, printed, prints, rule_fits, totals_printing, votes_printing
from scrutineer.calls.claims.still_open import still_open

T = 10_058_774


def digits(number: Fraction, places: int) -> str:
    """A number as it is printed: exact decimal rounding, not that of a float."""
    units = round(abs(number) * 10**places)
    text = str(units).zfill(places + 1)
    return ("-" if number < 0 else "") + (f"{text[:-places]}.{text[-places:]}" if places else text)


def scientific(number: Fraction) -> str:
    return f"{float(number):.3e}"


class TestFirstAnnouncement:
    def test_each_figure_alone_and_all_jointly_allow_these_totals(self):
        fit = base_fit(FIRST, "valid", "half-up")
        assert [row.totals for row in fit.each[:2]] == [Span(10_048_961, 10_068_606), Span(10_047_408, 10_070_165)]
        assert fit.totals == Span(10_053_505, 10_064_048)
        assert fit.totals.count == 10_544

    def test_one_total_alone_makes_all_counts_their_percentages(self):
        found = computed(FIRST)
        assert found.named == Span(10_058_773, 10_058_774)
        assert found.matching == Span(T, T)
        assert found.total == T
        assert [option.votes for option in found.options] == [5_150_092, 4_445_978, 462_704]
        assert all(option.matches for option in found.options)

    @pytest.mark.parametrize(
        ("votes", "percent", "share", "product"),
        [
            (5_150_092, "51.2", "51.199997137", "5150092.288"),
            (4_445_978, "44.2", "44.199998926", "4445978.108"),
            (462_704, "4.6", "4.600003937", "462703.604"),
        ],
    )
    def test_shares_and_products(self, votes, percent, share, product):
        assert digits(Fraction(100 * votes, T), 9) == share
        assert digits(Percent(percent).share * T, 3) == product

    def test_counts_that_print_so_and_the_chance_of_one_alone(self):
        assert votes_printing(Percent("51.2"), T, "half-up").count == 10_059
        assert votes_printing(Percent("44.2"), T, "half-up").count == 10_059
        found = computed(FIRST)
        assert [option.chance for option in found.options[:2]] == [Fraction(1, 10_059)] * 2
        assert scientific(found.options[0].chance) == "9.941e-05"

    def test_joint_chances(self):
        found = computed(FIRST)
        assert found.product == Fraction(1, 10_059**2)
        assert scientific(found.product) == "9.883e-09"
        assert found.possible == 75_882_581
        assert found.chance == Fraction(1, 75_882_581)
        assert scientific(found.chance) == "1.318e-08"
        assert found.any_split == Fraction(501_501, (T + 2) * (T + 1) // 2)
        assert scientific(found.any_split) == "9.913e-09"
        assert f"{found.likelihood_ratio:.2e}" == "7.59e+07"

    def test_a_total_that_was_not_announced_is_paid_for(self):
        # 10,543 totals could have given a matching set of counts, so that honest counts match at some total 1 in 7,197 times.
        found = computed(FIRST)
        assert not found.total_announced
        assert found.chance_any_total == Fraction(10_543, 75_882_581)
        others = Figure("eight others", 462_704, Percent("4.6"), others=True)
        given = computed(replace(FIRST, figures=(*FIRST.figures[:2], others)))
        assert given.total_announced
        assert given.chance == given.chance_any_total == Fraction(1, 75_882_581)

    def test_only_rounding_fits(self):
        published = [(5_150_092, T, Percent("51.2")), (4_445_978, T, Percent("44.2"))]
        assert printed(5_150_092, T, 1, "truncation") == Percent("51.1")
        assert [fit.rule for fit in rule_fits(published) if fit.fits] == ["half-up", "half-even"]
        assert not base_fit(FIRST, "valid", "truncation").fits

    def test_lead_and_the_turnout_at_which_it_can_go(self):
        found = still_open(FIRST)
        assert found.lead == 704_114
        assert found.total == T
        assert digits(100 * found.lead_share, 8) == "6.99999821"
        assert found.reversal_votes == 704_115
        assert digits(100 * found.turnout_to_reverse, 3) == "16.451"
        assert digits(100 * found.turnout_counted, 3) == "58.755"

    def test_outstanding_votes(self):
        found = still_open(FIRST)
        assert counted_span(FIRST) == (Fraction(795, 1000), Fraction(805, 1000))
        assert found.outstanding_equal == Fraction(5_029_387, 2)
        assert digits(found.outstanding_equal, 1) == "2514693.5"
        assert [digits(votes, 1) for votes in found.outstanding_equal_range] == ["2436597.4", "2593771.9"]
        assert found.uncounted_roll == 11_341_226

    def test_share_that_the_rival_needs(self):
        found = still_open(FIRST)
        assert (digits(100 * found.equal_need.alone, 3), digits(100 * found.equal_need.with_others, 3)) == ("64.000", "61.700")
        needs = {row.turnout * 100: (digits(100 * row.alone, 3), digits(100 * row.with_others, 3)) for row in found.needs}
        assert needs[40] == ("70.564", "68.264")
        assert needs[50] == ("66.451", "64.151")
        assert needs[60] == ("63.709", "61.409")
        assert needs[70] == ("61.751", "59.451")
        assert needs[80] == ("60.282", "57.982")
        assert needs[100] == ("58.226", "55.926")
        assert (digits(100 * found.whole_need.alone, 3), digits(100 * found.whole_need.with_others, 3)) == ("53.104", "50.804")

    def test_odds_ratio_and_sampling_figure(self):
        found = still_open(FIRST)
        assert digits(found.equal_need.odds_ratio, 3) == "2.121"
        assert digits(found.equal_need.odds_ratio_alone, 3) == "2.059"
        assert digits(found.needs[-1].odds_ratio, 3) == "1.641"
        assert found.sheets_open == 6_000
        assert f"{found.z:.1f}" == "75.8"

    def test_verdict(self):
        found = still_open(FIRST)
        assert (found.verdict, found.given, found.reasons) == ("not-decided", None, ("outstanding-exceeds-lead",))

    def test_it_agrees_with_itself(self):
        assert agreement(FIRST).coherent


class TestSecondAnnouncement:
    def test_sums(self):
        findings = {finding.code: finding for finding in agreement(SECOND).findings}
        assert findings["sum-of-options"].fits is True
        assert findings["sum-of-parts"].fits is True
        assert agreement(SECOND).coherent

    def test_a_slip_of_the_press_breaks_the_sum_by_54(self):
        slip = replace(SECOND.figures[2], votes=152_306)
        found = agreement(replace(SECOND, figures=(*SECOND.figures[:2], slip, *SECOND.figures[3:])))
        sums = [finding for finding in found.findings if finding.code == "sum-of-options"]
        assert [finding.fits for finding in sums] == [None]
        assert "54 fewer than valid" in sums[0].text
        # 1.2347 per cent prints as 1.23 by every rule, so that the percentage tells the slip from an option left out.
        assert not found.coherent

    def test_shares_and_no_coincidence(self):
        assert [digits(Fraction(100 * votes, 12_335_884), 6) for votes in SECOND_VOTES[:2]] == ["51.952856", "43.175698"]
        found = computed(SECOND)
        assert [option.votes - option.product for option in found.options[:2]] == [352, -531]
        assert sum(option.matches for option in found.options) == 0
        assert not found.matches
        assert found.chance == 1

    def test_null_and_valid_votes_are_their_percentages(self):
        null = option_test("null", 50_785, Percent("0.41"), 12_386_669, "half-up")
        assert null.matches
        assert null.printing == 1_238
        assert null.chance == Fraction(1, 1_238)
        assert f"{float(null.chance):.1e}" == "8.1e-04"
        assert [test.matches for test in part_tests(SECOND, "half-up")] == [True, True]

    def test_holm_over_all_published_percentages(self):
        twelve, eleven = holm(family(SECOND)), holm(family(SECOND, redundant=False))
        assert (len(twelve), len(eleven)) == (12, 11)
        assert min(test.adjusted for test in twelve) == Fraction(12, 1_238)
        assert min(test.adjusted for test in eleven) == Fraction(11, 1_238)
        assert [digits(12 * Fraction(1, 1_238), 4), digits(11 * Fraction(1, 1_238), 4)] == ["0.0097", "0.0089"]
        assert [test.name for test in eleven if test.below(Fraction(1, 100))] == ["null"]

    def test_turnout_is_of_the_roll_of_counted_sheets(self):
        assert digits(Fraction(100 * 12_386_669, 21_321_805), 3) == "58.094"
        assert digits(Fraction(100 * 12_386_669) / (21_321_805 * Percent("96.87").share), 3) == "59.971"
        turnout = next(finding for finding in agreement(SECOND).findings if finding.code == "turnout")
        assert turnout.fits is True
        assert "explained by the roll of the counted sheets" in turnout.text

    def test_reachable_from_the_first(self):
        found = reach(FIRST, SECOND)
        assert found.reachable
        assert found.reachable_at_equal_sheets
        assert [option.votes for option in found.options] == [Span(n, n) for n in (1_258_752, 880_126, 138_232)]
        assert found.total_added == Span(2_277_110, 2_277_110)
        assert [digits(100 * found.share(option), 3) for option in found.options] == ["55.278", "38.651", "6.071"]
        assert digits(found.per_sheet_added, 0) == "134980"
        assert digits(found.per_sheet_before, 0) == "125735"
        assert digits(found.ratio, 4) == "1.0735"

    def test_reachable_from_percentages_alone(self):
        assert reach(FIRST, SECOND_PERCENTAGES).smallest_total == 10_295_191
        assert not prints(4_445_978, 10_295_190, Percent("43.18"), "half-up")

    def test_lead_holds_given_the_counts_and_rolls_alike(self):
        found = still_open(SECOND)
        assert found.lead == 1_082_740
        assert int(found.outstanding_equal) == 398_589
        assert int(found.outstanding_roll) == 667_372
        assert (found.verdict, found.given, found.reasons) == ("arithmetic", "equal-roll", ())
        assert digits(found.sheets_open, 1) == "939.8"
        assert digits(found.mean_to_hold, 2) == "1152.08"
        assert found.uncounted_roll == 8_935_136
        assert found.lead < found.uncounted_roll


class TestPairOf2013:
    def test_sum(self):
        assert LATER_2013_VOTES[0] + LATER_2013_VOTES[1] + 38_882 == sum(LATER_2013_VOTES) == 14_895_107

    def test_truncation_fits_all_six_and_rounding_three(self):
        published = [(figure.votes, 14_895_107, figure.percent) for figure in LATER_2013.figures]
        assert {fit.rule: (fit.fitting, fit.of) for fit in rule_fits(published)} == {
            "half-up": (3, 6),
            "half-even": (3, 6),
            "truncation": (6, 6),
        }
        assert inferred_rule(published) == "truncation"
        assert agreement(LATER_2013).coherent
        assert [(fit.base, fit.rule) for fit in agreement(LATER_2013).fits if fit.fits] == [("valid", "truncation")]

    def test_so_few_votes_cannot_move_the_share_so_far(self):
        found = reach(EARLIER_2013, LATER_2013)
        shift = found.shifts[0]
        assert round(shift.added) == 7_510
        assert digits(100 * largest_shift(7_559_349, 14_895_107, 7_510), 4) == "0.0248"
        assert digits(100 * shift.largest_shift, 4) == "0.0248"
        assert not shift.reachable
        assert found.reachable
        assert not found.reachable_at_equal_sheets

    @pytest.mark.parametrize(("rule", "needed"), [("half-up", 25_830), ("half-even", 25_830), ("truncation", 24_323)])
    def test_votes_needed_under_each_rule(self, rule, needed):
        assert fewest_added(7_559_349, 14_895_107, Percent("50.66"), rule) == needed
        assert reach(replace(EARLIER_2013, rounding=rule), LATER_2013).shifts[0].needed == needed

    def test_votes_needed_as_a_share(self):
        assert digits(Fraction(100 * 25_830, 14_895_107), 3) == "0.173"


class TestFlorida2000:
    def test_lead(self):
        found = still_open(FLORIDA)
        assert found.lead == 537
        assert digits(100 * found.lead_share, 6) == "0.009005"

    def test_legal_bands(self):
        half, quarter = still_open(FLORIDA, band=Fraction(1, 200)), still_open(FLORIDA, band=Fraction(1, 400))
        assert half.band == Fraction(2_981_555, 100)
        assert digits(quarter.band, 1) == "14907.8"
        assert half.reasons == quarter.reasons == ("recount-band",)

    def test_recounts(self):
        assert digits(Fraction(100 * (1_784 - 537), 5_963_110), 4) == "0.0209"
        assert digits(still_open(FLORIDA).lead_in_recount_shifts, 2) == "0.30"

    def test_not_decided_with_everything_counted(self):
        found = still_open(FLORIDA)
        assert found.counted == 1
        assert found.outstanding_equal == 0
        assert (found.verdict, found.reasons) == ("not-decided", ("recount-band",))


def test_a_total_follows_from_the_counts_alone():
    assert totals_printing(5_150_092, Percent("51.2"), "half-up") & totals_printing(
        4_445_978, Percent("44.2"), "half-up"
    ) == Span(10_048_961, 10_068_606)
