"""Can it still change? Verdicts on partial counts, and the check of announced figures. Pure.

Public face: `make_call` (verdict.py) on a `PartialCount` (partial.py), `Watch` (watch.py) for one that grows sheet by sheet,
`call_of` and `bulletin_calls` for a count of the log (stated.py); the announced figures are in `calls.claims`.
"""

from scrutineer.calls.call import Call, ConditionCall, Sensitivity
from scrutineer.calls.partial import PartialCount
from scrutineer.calls.stated import bulletin_calls, call_of
from scrutineer.calls.verdict import make_call
from scrutineer.calls.watch import Watch

__all__ = ["Call", "ConditionCall", "PartialCount", "Sensitivity", "Watch", "bulletin_calls", "call_of", "make_call"]
