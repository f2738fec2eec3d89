"""How a statement gets into the log: policy, sequencer, and the HTTP service (SCRAPI) with its client.

Public face: `Service` and `running` (server.py), `ElectionFiles`, `submit_statements` and `submit` (client.py), `Problem`
(problems.py). Reading is apart: `scrutineer.intake.reader`. The policy is pure and lives in `scrutineer.statements.policy`.
"""

from scrutineer.http.port import Address
from scrutineer.http.problems import REASONS, Problem
from scrutineer.intake.checkers import ElectionFiles
from scrutineer.intake.client import Refused, Registered, submit, submit_statements
from scrutineer.intake.server import Progress, Service, running

__all__ = [
    "REASONS",
    "Address",
    "ElectionFiles",
    "Problem",
    "Progress",
    "Refused",
    "Registered",
    "Service",
    "running",
    "submit",
    "submit_statements",
]
