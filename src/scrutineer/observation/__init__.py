"""What others than the station say of its sheets: countersignatures, agents' and observers' own copies. A pure view of a count.

Public face: `Observations` (observations.py), with `Countersignature`, `Copy` and `Difference` as the parts it is made of.
"""

from scrutineer.observation.observations import Observations, StationObservations, Tally, Witnessing
from scrutineer.observation.said import Copy, Countersignature, Difference, Speaker

__all__ = [
    "Copy",
    "Countersignature",
    "Difference",
    "Observations",
    "Speaker",
    "StationObservations",
    "Tally",
    "Witnessing",
]
