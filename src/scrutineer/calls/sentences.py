"""A call in words that a journalist can quote. Plain text; takes no side, and says no more than the figures do."""

from scrutineer.calls.call import Call, Sensitivity
from scrutineer.calls.conditions import Condition
from scrutineer.election import Contest


def verdict_name(call: Call) -> str:
    """The verdict for people: 'Decided by statistics (at risk 5 %, gamma 3)'."""
    raise NotImplementedError


def sentence(call: Call, contest: Contest | None = None) -> str:
    """The call in one sentence. With the contest, it can tell a question from candidates and lists."""
    raise NotImplementedError


def explanations(call: Call) -> tuple[str, ...]:
    """One for each reason, in the order of `call.reasons`: what stands in the way, and what would change it."""
    raise NotImplementedError


def condition_sentence(condition: Condition, candidates: tuple[str, ...]) -> str:
    """What a condition asks: 'Heron has more votes than Wren', 'Heron has at least 40 % of the valid votes'."""
    raise NotImplementedError


def sensitivity_sentence(
    sensitivity: Sensitivity, condition: Condition, candidates: tuple[str, ...], stratum: str = "region"
) -> str:
    """How strongly the order of reporting would have to matter for the condition to flip, and what was seen tonight."""
    raise NotImplementedError
