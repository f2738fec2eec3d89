"""docs/how-to/replay-an-audit.md: its lines of Python give what Arlo gave, and its commands exist."""

import contextlib
import io
import re
from pathlib import Path

from cli_helpers import call

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "replay-an-audit.md").read_text(encoding="utf-8")


def test_the_lines_of_python():
    """Tickets and P-value of votingworks/arlo (8d86156), snap_test_batch_comparison.py, batches_sampled_multiple_times."""
    said = io.StringIO()
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    with contextlib.redirect_stdout(said):
        exec(block, {})
    lines = said.getvalue().splitlines()
    assert min(lines[:7]) == "0.225863102795344453 J1 Batch 3"
    assert lines[7] == "0.0585276635"
    assert len(lines) == 9


def test_the_options_that_it_names():
    shown = call("audit", "replay", "arlo", "--help").out + call("audit", "replay", "colorado", "--help").out
    for option in set(re.findall(r"`?(--[a-z]+)", TEXT)):
        assert option in shown, option
