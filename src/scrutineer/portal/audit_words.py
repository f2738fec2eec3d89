"""What audits are about, and what each kind can show and what it cannot, in words that take no side."""

from typing import Final, NamedTuple

from scrutineer.language import msg
from scrutineer.statements.audit import AuditOutcome, AuditSubject, UnitStatus


class SubjectWords(NamedTuple):
    """What an audit of one kind is called, and what it is worth."""

    label: str
    shows: str
    cannot: str


SUBJECT_WORDS: Final[dict[AuditSubject, SubjectWords]] = {
    "outcome": SubjectWords(
        msg("Outcome, by looking at paper (risk-limiting)"),
        msg(
            "Whether the paper, looked at by people, supports who won. If the announced outcome were wrong, the chance that this "
            "audit would confirm it all the same is at most the risk limit."
        ),
        msg(
            "It says nothing of exact totals, of paper that was exchanged before it was drawn, or of who was allowed to vote. "
            "It rests on a manifest of boxes that is right."
        ),
    ),
    "software": SubjectWords(
        msg("Software"),
        msg("Whether the programs that were examined are those that were declared, and what was found in them."),
        msg(
            "It cannot show that every device ran these programs on the day, nor that they counted right: only paper shows that."
        ),
    ),
    "rolls": SubjectWords(
        msg("Rolls of voters"),
        msg("How often entries of the roll that were looked at are right, and of whom entries are missing."),
        msg("It says nothing of how votes were counted."),
    ),
    "devices": SubjectWords(
        msg("Devices"),
        msg("Whether the devices that were examined are in the state that was declared, and behave as they should when tested."),
        msg("A device can behave otherwise than under test. It says nothing of devices that were not examined."),
    ),
    "transmission": SubjectWords(
        msg("Transmission"),
        msg("Whether what the examined stations sent is what arrived, and by which ways it came."),
        msg("It says nothing of whether the sheets that were sent are right."),
    ),
    "sheets": SubjectWords(
        msg("Tally sheets, held against each other"),
        msg("Whether sheets as published agree with copies, photographs and the rules of arithmetic."),
        msg("It cannot show that a sheet agrees with the ballots in its box: only counting the paper shows that."),
    ),
    "other": SubjectWords(
        msg("Something else"),
        msg("What its own protocol says."),
        msg("Without a sample drawn from committed records it gives no measured risk about the outcome."),
    ),
}

OUTCOME_MARKS: Final[dict[AuditOutcome, str]] = {
    "confirmed": "counted",
    "full-count": "warning",
    "continuing": "open",
    "stopped": "off",
    "held": "off",
}
"""The sign beside an outcome, whose words `audits.outcome_words` has."""

UNIT_WORDS: Final[dict[UnitStatus, str]] = {
    "counted": msg("Counted"),
    "missing": msg("Missing"),
    "illegible": msg("Illegible"),
}
