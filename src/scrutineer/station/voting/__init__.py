"""The voting machine of a polling station: what voters see and mark, and what the machine does with it.

Public face: `Choices`, `Marks` and `ballot_choices` (choices.py) turn marks into the values that are encrypted; `readable`
(readable.py) says them in words; kiosk.py shows the voter's screens over a voting machine, and paper.py prints.
"""
