"""The second verifier is no part of the installed program: its tests find it in its own folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "verifier" / "src"))
