"""HTTP as every service here speaks it: connections with limits on everything, refusals with a reason, and the port.

Public face: `Request`, `Response`, `Connections` (connection.py), `Problem` (problems.py), `Port` (port.py).
"""

from scrutineer.http.connection import Connection, Connections, Done, Request, Response, problem_response
from scrutineer.http.port import Address, Port, Tls, drain
from scrutineer.http.problems import REASONS, Problem

__all__ = [
    "REASONS",
    "Address",
    "Connection",
    "Connections",
    "Done",
    "Port",
    "Problem",
    "Request",
    "Response",
    "Tls",
    "drain",
    "problem_response",
]
