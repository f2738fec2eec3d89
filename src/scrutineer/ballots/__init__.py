"""Encrypted ballots that prove themselves: ElectionGuard 2.1.0 over its standard 4096-bit group.

Public face: `STANDARD` (group.py), `Manifest` (manifest.py), `KeyRecord` and `ElectionKeys` (keys.py), and the values of the
published record (record.py). Pure rules: files are read and written by their callers, and randomness is passed in.
"""

from scrutineer.ballots.group import STANDARD, Group
from scrutineer.ballots.keys import ElectionKeys, GuardianKeys, KeyRecord, election_keys, read_key_record
from scrutineer.ballots.manifest import Manifest, ManifestContest, Style, read_manifest
from scrutineer.ballots.record import Ballot, BallotContest, BundleClosing, BundleHeader, Selection, TallyRecord

__all__ = [
    "STANDARD",
    "Ballot",
    "BallotContest",
    "BundleClosing",
    "BundleHeader",
    "ElectionKeys",
    "Group",
    "GuardianKeys",
    "KeyRecord",
    "Manifest",
    "ManifestContest",
    "Selection",
    "Style",
    "TallyRecord",
    "election_keys",
    "read_key_record",
    "read_manifest",
]
