"""The attack record: what the intake service refused, counted by kind and network, kept in a journal that shows every change.

Public face: `IncidentRecord` (record.py), which the service tells of every refusal; `read_journal` and `check_summaries`
(check.py) for those who read it; `KIND_BY_REASON` and `MEANINGS` (kinds.py).
"""

from scrutineer.intake.incidents.check import Checked, Logged, check_summaries, read_journal
from scrutineer.intake.incidents.kinds import KIND_BY_REASON, MEANINGS, kind_of
from scrutineer.intake.incidents.record import IncidentRecord

__all__ = [
    "KIND_BY_REASON",
    "MEANINGS",
    "Checked",
    "IncidentRecord",
    "Logged",
    "check_summaries",
    "kind_of",
    "read_journal",
]
