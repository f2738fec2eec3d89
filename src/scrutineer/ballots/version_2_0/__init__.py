"""Test elections as ElectionGuard 2.0.0 records, so that verifiers of that version check this program's arithmetic.

Elections are held under version 2.1.0, whose hashes differ, and no ballot can be proved again under another version once its
nonces are forgotten. What is exported here is therefore made for the export: the contests of an election, ballots of a seeded
lot, keys of guardians who exist for one run. Group, tables, range proofs and the rounds of decryption are those of all ballots;
only what is hashed is that of 2.0.0 (docs/decisions/electionguard-2.0-export.md).
"""
