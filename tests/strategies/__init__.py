"""Hypothesis strategies: whole elections, tally sheets, and a payload of every kind, all of them valid."""

from strategies.elections import contests, elections, identifiers, names, unit_rows
from strategies.payloads import KEY, PAYLOADS, payloads
from strategies.sheets import sheets

__all__ = ["KEY", "PAYLOADS", "contests", "elections", "identifiers", "names", "payloads", "sheets", "unit_rows"]
