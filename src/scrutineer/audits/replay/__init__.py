"""Other people's published audits, drawn and computed again from the files that they published.

`arlo` replays what VotingWorks' Arlo exported, `colorado` what Colorado's tool did, and `plain` has the rules for files of any
other shape. Everything here is pure; `cli/audit_replay` reads the files.
"""
