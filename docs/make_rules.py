"""Writes docs/reference/rules.md from the rules of the count: `python docs/make_rules.py`."""

from pathlib import Path
from typing import Final

from scrutineer.count import RULES
from scrutineer.count.rules import RuleBook
from scrutineer.errors import DefinitionError

PAGE: Final = Path(__file__).parent / "reference" / "rules.md"

_START: Final = """\
# Rules

Written from `scrutineer.count.RULES` by `docs/make_rules.py`; do not edit by hand.

Every tally sheet that gets into the log is held against these rules. A sheet that fails a rule of severity `error` is
quarantined: it stays in the log, is shown beside the totals, and counts only after a signed decision names it. A `warning` is
shown beside the sheet and changes nothing. A rule says what the figures say; it does not say why, and blames nobody.

Where a figure that a rule compares is unknown, the rule is silent: unknown is neither zero nor wrong.

An election can change a severity in the section `[rules]` of its `election.toml`: `"error"`, `"warning"` or `"off"`. Rules
marked *fixed* cannot be changed, because without them no total would be defined.

"""


def render() -> str:
    """The page as the rules give it."""
    rows = ["| rule | severity | what is said of a sheet that fails |", "|---|---|---|"]
    for rule in RULES:
        severity = rule.severity if _can_change(rule.id) else f"{rule.severity}, fixed"
        rows.append(f"| `{rule.id}` | {severity} | {rule.wording} |")
    return _START + "\n".join(rows) + "\n"


def _can_change(rule_id: str) -> bool:
    try:
        RuleBook.of({rule_id: "off"})
    except DefinitionError:
        return False
    return True


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
