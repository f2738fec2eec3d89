"""Assertions and the reasons for full counts as sentences."""

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.outcome import Requirement
from scrutineer.election import Contest
from scrutineer.language import ENGLISH, Say


def assertion_sentence(assertion: Assertion, contest: Contest, *, say: Say = ENGLISH) -> str:
    """What an assertion claims, in one sentence without its full stop: 'Heron has more votes than Wren'."""
    raise NotImplementedError


def full_count_sentence(requirement: Requirement, contest: Contest, *, say: Say = ENGLISH) -> str:
    """Why only a full count can confirm the outcome; empty where a sample can."""
    raise NotImplementedError
