"""Twenty requirements on the transparency of a count, in our own words, each with its source and the tests that hold it here.

The sources are handbooks, covenants, judgments and reports by which observers, courts and the United Nations judge elections.
"""

from dataclasses import dataclass
from typing import Final

from scrutineer.language import msg


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. Texts are messages; what this site does about it stands in checklist_page.py under the same id."""

    id: str
    text: str
    source: str
    tests: tuple[str, ...]
    """Paths and names of tests that hold what the page says of it."""


_SITE: Final = "tests/unit/portal/test_site.py::"
_STATIONS: Final = "tests/unit/portal/test_station_pages.py::"
_DATA: Final = "tests/unit/portal/test_data_files.py::"
_API: Final = "tests/unit/portal/test_api_files.py::"
_DECISIONS: Final = "tests/unit/portal/test_decision_pages.py::"
_ACCESS: Final = "tests/browser/test_accessibility.py::"

REQUIREMENTS: Final = (
    Requirement(
        "by-station",
        msg("Results are published in full, with the figures of every single polling station."),
        msg("Handbook for European Union Election Observation, second edition"),
        (f"{_SITE}test_the_tables_are_those_of_the_count", f"{_DATA}test_parquet_holds_what_the_csv_holds"),
    ),
    Requirement(
        "every-level",
        msg(
            "Each level of the count publishes its results as soon as it has them: votes for every candidate, and invalid votes."
        ),
        msg("Handbook for European Union Election Observation"),
        (f"{_API}test_the_parts_of_a_unit_add_up_to_it", f"{_API}test_a_unit_says_what_the_count_says"),
    ),
    Requirement(
        "posted",
        msg("An official copy of the results is posted at the polling station right after the count."),
        msg("Election Obligations and Standards, The Carter Center"),
        ("tests/browser/test_printed_sheet.py::test_what_is_printed_is_what_was_signed",),
    ),
    Requirement(
        "copies",
        msg("Observers, party agents and the media receive copies of all protocols and tabulation sheets."),
        msg("Guidance of International IDEA and the European Union"),
        (f"{_STATIONS}test_every_sheet_can_be_checked_from_what_the_page_holds", f"{_API}test_every_sheet_is_named_by_its_hash"),
    ),
    Requirement(
        "scrutiny",
        msg("Votes are counted in the presence of candidates or their agents, with independent scrutiny and judicial review."),
        msg("United Nations Human Rights Committee, General Comment 25, paragraph 20"),
        (f"{_STATIONS}test_signatures_refusals_and_copies_stand_on_the_page",),
    ),
    Requirement(
        "honest",
        msg("Votes are counted and reported honestly, and the official results are made public."),
        msg("Copenhagen Document of the OSCE, 1990, paragraph 7.4"),
        (
            "tests/unit/verify/test_publisher.py::test_one_other_figure_in_any_file_is_found",
            f"{_SITE}test_the_same_record_gives_the_same_bytes",
        ),
    ),
    Requirement(
        "numbers",
        msg("Results are announced as actual numbers, not as percentages alone, and within the time that the law sets."),
        msg("Election Obligations and Standards, The Carter Center"),
        (f"{_DATA}test_the_summary_is_that_of_the_count",),
    ),
    Requirement(
        "comparable",
        msg("The public can compare the protocol of a station with the published table."),
        msg("Venice Commission of the Council of Europe"),
        (f"{_STATIONS}test_the_figures_on_the_page_are_those_that_were_signed",),
    ),
    Requirement(
        "not-optional",
        msg("Results by polling station are part of the result; to keep them back is a serious breach of electoral principles."),
        msg("The Carter Center on Venezuela, 30 July 2024"),
        (f"{_SITE}test_a_station_without_a_sheet_says_so_and_shows_no_zero",),
    ),
    Requirement(
        "no-bare-outcome",
        msg(
            "No outcome is announced without its details; legal deadlines are kept, results are audited afterwards, and "
            "interruptions of transmission are explained at once."
        ),
        msg("United Nations Panel of Experts on Venezuela, interim report, 9 August 2024"),
        (
            "tests/unit/verify/test_publisher.py::TestLog::test_a_bulletin_with_one_wrong_figure",
            f"{_API}test_the_outcome_comes_with_all_its_figures",
            "tests/unit/portal/test_audit_pages.py::test_an_audit_is_told_from_plan_to_report",
        ),
    ),
    Requirement(
        "printed-protocol",
        msg(
            "The printed protocol of a station bears a QR code, a verification code, a unique signature, and signatures by hand."
        ),
        msg("United Nations Panel of Experts on Venezuela, interim report, 9 August 2024"),
        (f"{_STATIONS}test_every_sheet_has_room_for_its_code",),
    ),
    Requirement(
        "open-data",
        msg(
            "Data are timely, granular, free on the internet, complete and in bulk, easy to analyse, non-proprietary, open to "
            "everybody, without a licence, and permanently available."
        ),
        msg("Open Election Data Initiative, National Democratic Institute"),
        (
            "tests/unit/portal/test_data_pages.py::test_every_file_is_described",
            "tests/unit/portal/test_data_pages.py::test_every_query_works",
        ),
    ),
    Requirement(
        "transmission",
        msg(
            "Results travel only over infrastructure that was declared beforehand; logs are kept; the protocols themselves are "
            "protected by an unbroken chain of custody."
        ),
        msg("Organization of American States, analysis of electoral integrity, Bolivia 2019"),
        ("tests/unit/portal/test_checklist_page.py::test_what_was_declared_of_the_transmission_is_said",),
    ),
    Requirement(
        "software-independence",
        msg(
            "The count can be audited on evidence: an undetected error in software cannot cause an undetectable change in the "
            "result. Formats are interoperable."
        ),
        msg("Voluntary Voting System Guidelines 2.0, principles 4 and 9"),
        (
            "tests/interop/test_nist.py::test_results_are_valid",
            "tests/unit/verify/test_publisher.py::TestLog::test_a_statement_with_a_broken_signature",
            "tests/unit/audits/test_planted.py::test_a_wrong_outcome_is_caught_as_often_as_promised",
        ),
    ),
    Requirement(
        "path",
        msg("The way in which the result was reached is shown step by step, and systems are open to inspection."),
        msg("Supreme Court of Kenya, 2017 (KESC 42)"),
        ("tests/unit/portal/test_rules_page.py::test_every_rule_of_the_count_is_on_the_page",),
    ),
    Requirement(
        "corrections",
        msg("A correction is visible and signed; nothing is painted over."),
        msg("Constitutional Court of Malawi, 2020"),
        (f"{_DECISIONS}test_a_decision_is_shown_with_both_figures_its_reason_and_its_officers",),
    ),
    Requirement(
        "all-stages",
        msg("Observers have access to all stages, also to the technology; there are logs, and what is claimed can be verified."),
        msg("OSCE/ODIHR handbook on new voting technologies; Declaration of Principles for International Election Observation"),
        ("tests/unit/portal/test_checklist_page.py::test_witnesses_are_those_of_the_record",),
    ),
    Requirement(
        "layers",
        msg("Preliminary figures, evidence and legal results are shown apart; unknown is not zero."),
        msg("Good practice of open election platforms"),
        (
            f"{_SITE}test_a_figure_that_a_sheet_does_not_state_is_not_zero",
            f"{_SITE}test_a_certificate_of_these_totals_makes_them_certified",
        ),
    ),
    Requirement(
        "no-machine-reading",
        msg("A number that a machine read from a photograph is never shown as a result before a person has checked it."),
        msg("Lesson of Indonesia, 2024"),
        (f"{_STATIONS}test_the_figures_on_the_page_are_those_that_were_signed",),
    ),
    Requirement(
        "accessible",
        msg("Everybody can read the pages: with a screen reader, a keyboard, large type, and in their language."),
        msg("Web Content Accessibility Guidelines 2.2; EN 301 549; International Foundation for Electoral Systems, 2024"),
        (
            f"{_ACCESS}test_axe_finds_nothing_on_any_page",
            f"{_ACCESS}test_the_keyboard_alone_leads_from_the_front_page_to_a_table",
        ),
    ),
)
"""The requirements, in the order of the page."""
