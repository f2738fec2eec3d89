"""Audits of the outcome, computed again from a site (docs/formats.md, "Files of an audit", "What an audit draws and measures").

plan     plan.json, manifest.csv and totals.csv
cards    cards.bin
results  whether a plan rests on the results at its log size
implied  whether the tests of a plan imply who is elected
draw     what plan and seed draw
counts   which counts hold, and what they show of each test
risk     from values to risks
check    all of it, in order
"""

from second_look.outcome.check import OutcomeAudits as OutcomeAudits
