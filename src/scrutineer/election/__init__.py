"""What an election is: units, contests, options, issuers and their roles.

Public face: `Definition` and `Election` (definition.py), `Units` (units.py), `Contest` and `Option` (contests.py),
`Register` and `Issuer` (register.py). Pure values; reading and writing of folders lives in folder.py.
"""

from scrutineer.election.contests import Alternative, Candidate, Contest, Option
from scrutineer.election.definition import Definition, Election, LogIdentity, TableHash
from scrutineer.election.parties import Party
from scrutineer.election.register import Issuer, Register, station_issuer
from scrutineer.election.units import UNKNOWN, UnitRow, Units

__all__ = [
    "UNKNOWN",
    "Alternative",
    "Candidate",
    "Contest",
    "Definition",
    "Election",
    "Issuer",
    "LogIdentity",
    "Option",
    "Party",
    "Register",
    "TableHash",
    "UnitRow",
    "Units",
    "station_issuer",
]
