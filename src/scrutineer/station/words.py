"""What a station's outbox looks like to people: what is in the log, what waits and why, and what to do. Pure."""

import time
from collections.abc import Sequence
from typing import Final

from scrutineer.errors import StatementError
from scrutineer.http.problems import Problem
from scrutineer.statements import TallySheet, parse_statement
from scrutineer.station.outbox import Entry, Tally
from scrutineer.station.ways import Attempt, Attempts, Moment, Way

_ENROL: Final = "ask the centre to enrol this station's key, then run `scrutineer station send {folder} --again`"
_SIGN: Final = "fill in and sign the sheet again, and tell the centre"
_ADVICE: Final = {
    "unknown-issuer": _ENROL,
    "unknown-key": _ENROL,
    "role-not-allowed": "this key may not sign such a statement: ask the centre which key may",
    "wrong-election": "it belongs to another election: was the folder made with the right definition.cose?",
    "unknown-station": "the election has no such station: check the station's id with the centre",
    "unknown-contest": "the election has no such contest: check the contest's id with the centre",
    "wrong-shape": _SIGN,
    "malformed": _SIGN,
    "bad-signature": _SIGN,
    "too-large": "it is larger than the service takes: tell the centre",
}
_NO_ADVICE: Final = "tell the centre; when the reason is gone, run `scrutineer station send {folder} --again`"


def label(statement: bytes) -> str:
    """What a statement is, in a few words."""
    try:
        payload = parse_statement(statement).payload
    except StatementError:
        return "unreadable"
    if isinstance(payload, TallySheet):
        return f"tally sheet of {payload.station}, {payload.contest}"
    return parse_statement(statement).kind


def clock_time(seconds: int) -> str:
    """A time of this machine's clock, as this machine shows times."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # A clock may have been set to anything when this was kept.
        return "at an unknown time"


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A length of time in words, as exact as anyone needs."""
    whole = round(seconds)
    if whole < 1:
        return "less than a second"
    number, unit = (whole, "second") if whole < 120 else (round(seconds / 60), "minute")
    return counted(number, unit)


def advice(problem: Problem, folder: str) -> str:
    """What to do about a refusal, at the station whose folder this is."""
    return _ADVICE.get(problem.code, _NO_ADVICE).replace("{folder}", folder)


def headline(tally: Tally) -> str:
    """One sentence on everything."""
    if not tally.all:
        return "Nothing has been queued yet."
    if tally.receipted == tally.all:
        what = "The statement is" if tally.all == 1 else f"All {tally.all:,} statements are"
        return f"{what} in the log; every receipt was checked."
    parts = [f"{tally.receipted:,} of {tally.all:,} statements are in the log with a checked receipt"]
    if tally.waiting:
        held = f" ({tally.held:,} of these held by a relay, which is not yet a receipt)" if tally.held else ""
        parts.append(f"{tally.waiting:,} wait{'s' if tally.waiting == 1 else ''}{held}")
    if tally.refused:
        parts.append(f"{tally.refused:,} {'was' if tally.refused == 1 else 'were'} refused")
    return "; ".join(parts) + "."


def attempt_line(way: Way, attempt: Attempt, now: Moment) -> str:
    """What a way said last, and when it is tried next."""
    remaining = attempt.remaining(now)
    what = attempt.said or "took everything that was offered"
    line = f"{str(way)[0].upper()}{str(way)[1:]} {what} (tried {clock_time(attempt.tried)})"
    if attempt.outcome == "false":
        line += ". Do not rely on it, and tell the centre; it is avoided"
    if attempt.outcome != "done":
        line += f"; next attempt {'now' if remaining <= 0 else f'in {duration(remaining)}'}"
    return line + "."


def ways_lines(ways: Sequence[Way], attempts: Attempts, tally: Tally, now: Moment, folder: str) -> list[str]:
    """What is to be said of the ways: one line where nothing can be reached, else a line for each that was tried."""
    if not ways and tally.waiting:
        return ["No way over a network is known: add one to station.toml, or carry what waits in a bundle file or on paper."]
    tried = [(way, attempts.last[way.url]) for way in attempts.order(ways) if way.url in attempts.last]
    if not tried:
        return [f"Nothing has been tried yet: run `scrutineer station send {folder}`."] if tally.waiting else []
    if tally.waiting and len(tried) == len(ways) and all(attempt.outcome == "unreachable" for _, attempt in tried):
        way, attempt = max(tried, key=lambda pair: pair[1].tried)
        soonest = min(attempt.remaining(now) for _, attempt in tried)
        others = "" if len(ways) == 1 else f"; nor can any other of the {len(ways)} ways"
        when = "now" if soonest <= 0 else f"in {duration(soonest)}"
        return [f"Nothing can be reached: {way} {attempt.said}{others} (tried {clock_time(attempt.tried)}; next attempt {when})."]
    return [attempt_line(way, attempt, now) for way, attempt in tried]


def entry_state(entry: Entry, folder: str) -> str:
    """What became of a statement, in a few words."""
    if entry.state == "receipted":
        return f"in the log as number {entry.position}, receipt of {clock_time(entry.received or 0)}"
    if entry.state == "refused" and entry.problem is not None:
        return f"refused: {entry.problem.detail} ({entry.problem.code}). What to do: {advice(entry.problem, folder)}"
    if entry.held_by is not None:
        return f"held by the relay {entry.held_by}, which is not a receipt"
    return "waits"
