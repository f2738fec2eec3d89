"""What is said of an outbox: one sentence for everything, one line where nothing can be reached, advice for every refusal."""

import pytest

from intake_helpers import republic
from scrutineer.http.problems import REASONS, Problem
from scrutineer.station.outbox import Entry, Tally
from scrutineer.station.ways import Attempt, Attempts, Moment, Way
from scrutineer.station.words import advice, clock_time, duration, entry_state, headline, label, ways_lines

A, B = Way("intake", "http://a"), Way("relay", "http://b")
NOW = Moment("x", 100.0)
LAND = republic()


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (Tally(0, 0, 0, 0), "Nothing has been queued yet."),
        (Tally(1, 0, 0, 0), "The statement is in the log; every receipt was checked."),
        (Tally(1_200, 0, 0, 0), "All 1,200 statements are in the log; every receipt was checked."),
        (Tally(0, 1, 0, 0), "0 of 1 statements are in the log with a checked receipt; 1 waits."),
        (
            Tally(5, 3, 2, 1),
            (
                "5 of 10 statements are in the log with a checked receipt; 3 wait (1 of these held by a relay, which is not yet "
                "a receipt); 2 were refused."
            ),
        ),
    ],
)
def test_headline(tally: Tally, said: str) -> None:
    assert headline(tally) == said


def test_one_line_where_nothing_can_be_reached() -> None:
    gone = Attempt("unreachable", "does not answer (Connection refused)", 0, 3, 60.0, "x", 80.0)
    attempts = Attempts({"http://a": gone, "http://b": gone})
    (line,) = ways_lines([A, B], attempts, Tally(0, 1, 0, 0), NOW, "DIR")
    assert line.startswith("Nothing can be reached: intake service http://a does not answer (Connection refused)")
    assert "next attempt in 40 seconds" in line
    # With one that works, each is told of by itself; with none tried, what to do.
    attempts = Attempts({"http://a": gone, "http://b": Attempt("held", "keeps 1 for forwarding", 0, 1, 2.0, "x", 99.0)})
    assert len(ways_lines([A, B], attempts, Tally(0, 1, 0, 0), NOW, "DIR")) == 2
    assert "run `scrutineer station send DIR`" in ways_lines([A], Attempts(), Tally(0, 1, 0, 0), NOW, "DIR")[0]
    assert "No way over a network" in ways_lines([], Attempts(), Tally(0, 1, 0, 0), NOW, "DIR")[0]
    assert ways_lines([A], Attempts(), Tally(1, 0, 0, 0), NOW, "DIR") == []


def test_a_liar_is_named() -> None:
    lied = Attempt("false", "gave a receipt that proves nothing (x); kept as y.json", 0, 1, 3_600.0, "x", 100.0)
    (line,) = ways_lines([A], Attempts({"http://a": lied}), Tally(0, 1, 0, 0), NOW, "DIR")
    assert "Intake service http://a gave a receipt that proves nothing" in line
    assert "Do not rely on it, and tell the centre; it is avoided; next attempt in 60 minutes." in line


@pytest.mark.parametrize("code", REASONS)
def test_every_refusal_comes_with_what_to_do(code: str) -> None:
    said = advice(Problem(code, "detail"), "/srv/n1")
    assert "centre" in said or "sign" in said or "definition.cose" in said
    assert "{" not in said
    entry = Entry(1, b"", b"", 0, "refused", refused_by="http://a", problem=Problem(code, "some detail"), refused=0)
    assert f"some detail ({code}). What to do: " in entry_state(entry, "/srv/n1")


def test_times_and_labels() -> None:
    assert [duration(seconds) for seconds in (0.2, 1, 59.6, 119, 150, 3_600)] == [
        "less than a second",
        "1 second",
        "60 seconds",
        "119 seconds",
        "2 minutes",
        "60 minutes",
    ]
    assert clock_time(1_780_000_000).startswith("2026-")
    assert clock_time(10**18) == "at an unknown time"
    assert label(LAND.sheet("s1")) == "tally sheet of s1, president"
    assert label(LAND.definition) == "definition"
    assert label(b"heron") == "unreadable"
    assert (
        entry_state(Entry(1, b"", b"", 0, "waiting", held_by="http://b"), "D")
        == "held by the relay http://b, which is not a receipt"
    )
