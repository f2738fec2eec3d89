"""How an audit ended, and why counts differ, in words that take no side: for pages, the report, its PDF and the command line."""

from typing import Final, NamedTuple

from scrutineer.language import msg
from scrutineer.statements.audit import AuditOutcome, Discrepancy


class OutcomeWords(NamedTuple):
    """Keys of messages, which are plain English too."""

    label: str
    """A few words, beside the name of the audit."""
    sentence: str


OUTCOME_WORDS: Final[dict[AuditOutcome, OutcomeWords]] = {
    "confirmed": OutcomeWords(
        msg("Confirmed at the risk limit"),
        msg("The audit confirms the reported outcome at its risk limit."),
    ),
    "full-count": OutcomeWords(
        msg("To be settled by counting everything"),
        msg("A sample cannot confirm the reported outcome: all cards have to be counted by hand."),
    ),
    "continuing": OutcomeWords(
        msg("Not confirmed yet; the audit goes on"),
        msg("The audit is not at its end: the outcome is not confirmed yet."),
    ),
    "stopped": OutcomeWords(
        msg("Stopped; nothing was confirmed"),
        msg("The audit was stopped before the outcome was confirmed."),
    ),
    "held": OutcomeWords(
        msg("Held; its findings are below"),
        msg("The audit was held."),
    ),
}

DISCREPANCY_WORDS: Final[dict[Discrepancy, str]] = {
    "marking": msg("how a voter marked the ballot"),
    "adjudication": msg("people decided otherwise what a mark means"),
    "damaged": msg("folded, torn or damaged paper"),
    "wrong-box": msg("paper in another box"),
    "transcription": msg("a number written down wrongly"),
    "machine": msg("read otherwise by the machine"),
    "two-cards": msg("two cards taken for one, or one for two"),
    "unknown": msg("not known"),
}
