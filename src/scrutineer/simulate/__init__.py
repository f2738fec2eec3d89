"""Synthetic elections with known truth. Pure: everything follows from the number of stations and a seed.

Public face: `simulate_republic` and `Simulation` (republic.py), `sign_arrivals` (acts.py), `open_republic` (opening.py),
`snapshots` (when to issue bulletins), `Truth` (truth.py) and `Disturbance` (disturbances.py).
"""

from scrutineer.simulate.acts import Arrival, KeyOf, Pending, Recall, sign_arrivals
from scrutineer.simulate.disturbances import DISTURBANCES, RULE_OF_KIND, Disturbance, DisturbanceKind
from scrutineer.simulate.opening import OpenedElection, open_republic
from scrutineer.simulate.republic import OFFICERS, Simulation, simulate_republic, snapshots
from scrutineer.simulate.truth import ContestTruth, Truth

__all__ = [
    "DISTURBANCES",
    "OFFICERS",
    "RULE_OF_KIND",
    "Arrival",
    "ContestTruth",
    "Disturbance",
    "DisturbanceKind",
    "KeyOf",
    "OpenedElection",
    "Pending",
    "Recall",
    "Simulation",
    "Truth",
    "open_republic",
    "sign_arrivals",
    "simulate_republic",
    "snapshots",
]
