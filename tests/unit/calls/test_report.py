"""What stands beside a call: needs and history, and that they agree with the verdict."""

from dataclasses import replace

import numpy as np
import pytest

from partial_samples import partial_count
from scrutineer.calls import make_call
from scrutineer.calls.arithmetic import needs
from scrutineer.calls.conditions import measure
from scrutineer.calls.report import call_report
from scrutineer.calls.sentences import sentence
from scrutineer.election import Contest, Option
from scrutineer.election.call_settings import CallSettings
from scrutineer.errors import CallError

TRIO = tuple(Option(name, name.title()) for name in ("avocet", "bittern", "curlew"))


def test_votes_per_candidate_do_not_say_what_ranked_ballots_would_need() -> None:
    # Curlew leaves first, and all his ballots go over to Bittern: Avocet's 6 first preferences face 9 ballots, not 5.
    partial = partial_count([[6, 5, 4], [0, 0, 0]], [20, 20], [0, 0], [True, False])
    rankings = (((0,), 6), ((1,), 5), ((2, 1), 4))
    ranked = Contest("warden", "Warden", "ranked", TRIO)
    made = replace(partial, rankings={0: rankings})
    call = make_call(ranked, made, CallSettings(), committed=True)
    report = call_report(ranked, made, call)
    assert report.hanging is not None
    assert report.needs is None
    (last,) = [clause[0].condition for clause in call.clauses if clause[0].condition.code == "elimination:1:0"]
    with pytest.raises(CallError, match="about rankings"):
        needs(made, measure(last, made))
    assert "Bittern survives the instant run-off so far with 1 of 2 stations counted" in sentence(call, ranked)


def test_nothing_is_said_to_be_counted_that_was_excluded() -> None:
    partial = partial_count([[60, 20, 10], [0, 0, 0]], [100, 100], [0, 0], [True, False], out=[1])
    assert not np.any(partial.open)
    contest = Contest("chair", "Chair", "plurality", TRIO)
    call = make_call(contest, partial, CallSettings(), committed=True)
    assert sentence(call, contest) == "Decided by arithmetic: Avocet is elected; no station is open any more."
