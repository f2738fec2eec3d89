"""A site that was published again and again is the one that is rendered all at once, whatever came in which order."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from full_election import full_election
from publish_helpers import GrowingSite, grown
from scrutineer.portal import SiteOptions, changes
from scrutineer.portal.publish import Effort

WHOLE = full_election()[-1]
OPTIONS = SiteOptions(languages=("en",))


@settings(max_examples=6, deadline=None)
@given(st.permutations(WHOLE.log[1:]), st.sets(st.integers(1, len(WHOLE.log)), min_size=2, max_size=4), st.integers(1, 2))
def test_a_site_published_in_steps_is_the_site_published_at_once(log: list[bytes], sizes: set[int], workers: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # No unit is so far up that its page is made every time.
        patch.setattr(changes, "MOST_UPPER", 0)
        site = GrowingSite(Path(folder))
        for step in grown(WHOLE, [WHOLE.log[0], *log], sorted(sizes), OPTIONS):
            site.publish(step, Effort(workers))
            site.check()
