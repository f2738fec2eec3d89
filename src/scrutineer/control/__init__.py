"""The control room: the state of the night for officers, and what they sign together. A service of its own beside the intake.

Public face: `control_app` (app.py) serves a `Room` (room.py), which follows a `Night` (night.py) and asks a `Machine`
(machine.py) for keys, services and the way to the log. The two-person rule is in `proposals.py`, its record in `journal.py`; who
may enter in `officers.py`, `passkeys.py`, `challenges.py` and `sessions.py`; what pages show in `arrivals.py`, `evidence.py` and
`drafts.py`.
"""
