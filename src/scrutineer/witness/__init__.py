"""Witnesses (C2SP tlog-witness): cosign the checkpoints of a log that only grows, and collect such cosignatures for our own.

Public face: `Witness` (witness.py) with its memory `WitnessState` (state.py) and the pure rules (rules.py), `WitnessService`
(service.py); for the log's side `collect` (client.py), `WitnessAddress`, `Trouble` (answers.py).
"""

from scrutineer.witness.answers import Trouble, WitnessAddress
from scrutineer.witness.client import Collected, collect, collect_from
from scrutineer.witness.service import WitnessService
from scrutineer.witness.state import WitnessState
from scrutineer.witness.witness import Answer, Witness, read_logs

__all__ = [
    "Answer",
    "Collected",
    "Trouble",
    "Witness",
    "WitnessAddress",
    "WitnessService",
    "WitnessState",
    "collect",
    "collect_from",
    "read_logs",
]
