"""The count: folds the log into effective sheets, quarantine and totals for every unit. Pure; the same log, the same bytes.

Public face: `Count` (fold.py), `unit_result` and `standing` (results.py), `make_bulletin` and `differences` (bulletins.py),
`results_table` and `stations_table` (tables.py), `RULES` (rules.py), and the outcome rules in `count.outcome`.
"""

from scrutineer.count.bulletins import Difference, differences, make_bulletin, make_certificate
from scrutineer.count.contest import COUNTED, EXCLUDED, OUTSTANDING, QUARANTINED, STATUS_NAMES
from scrutineer.count.fold import Act, Count, Recorded
from scrutineer.count.results import Standing, UnitResult, contest_result, standing, unit_result
from scrutineer.count.rules import RULE_IDS, RULES, Rule, rule
from scrutineer.count.tables import results_hash, results_table, station_columns, stations_table, tables_hash

__all__ = [
    "COUNTED",
    "EXCLUDED",
    "OUTSTANDING",
    "QUARANTINED",
    "RULES",
    "RULE_IDS",
    "STATUS_NAMES",
    "Act",
    "Count",
    "Difference",
    "Recorded",
    "Rule",
    "Standing",
    "UnitResult",
    "contest_result",
    "differences",
    "make_bulletin",
    "make_certificate",
    "results_hash",
    "results_table",
    "rule",
    "standing",
    "station_columns",
    "stations_table",
    "tables_hash",
    "unit_result",
]
