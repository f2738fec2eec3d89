"""`make demo` from nothing: a fresh copy of the committed files, a new virtual environment, every package installed.

    python bench/bench_demo.py

Prints the seconds until the demo has ended, and how many of them the second run in the same copy takes, which reuses the
set-up of the first.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
        first, second = (timed(copy) for _ in range(2))
    print(f"make demo from nothing: {first:.0f} s (to reach: 120); again: {second:.0f} s; ratio {first / second:.2f}")


def timed(copy: Path) -> float:
    """Seconds of one `make demo`."""
    started = time.monotonic()
    done = subprocess.run(["make", "demo"], cwd=copy, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
