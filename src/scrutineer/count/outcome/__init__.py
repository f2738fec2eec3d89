"""Who is elected by totals, and can what is still open change it? Pure and exact; see `decide` and `can_change`."""

from scrutineer.count.outcome.decision import Rule, can_change, decide
from scrutineer.count.outcome.divisor import DHondt, SainteLague
from scrutineer.count.outcome.hamilton import Hamilton
from scrutineer.count.outcome.majority import Majority, YesNo
from scrutineer.count.outcome.model import Base, Bound, Caps, Outcome, RankedTally, Rankings, Round, Tally
from scrutineer.count.outcome.plurality import Approval, Plurality
from scrutineer.count.outcome.ranked import InstantRunoff, elimination

__all__ = [
    "Approval",
    "Base",
    "Bound",
    "Caps",
    "DHondt",
    "Hamilton",
    "InstantRunoff",
    "Majority",
    "Outcome",
    "Plurality",
    "RankedTally",
    "Rankings",
    "Round",
    "Rule",
    "SainteLague",
    "Tally",
    "YesNo",
    "can_change",
    "decide",
    "elimination",
]
