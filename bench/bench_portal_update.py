"""An update of the site during the night: new sheets in the log, then `scrutineer publish` as a process, until it has ended.

    python bench/bench_portal_update.py [STATIONS [SHEETS [ROUNDS [WORKERS]]]]

Prints the seconds and CPU seconds of each round (to reach for 500 sheets at 30,000 stations: 5 s), how many files were made and
written, and beside it a floor: a process that starts, loads the same commands, reads the log and counts it, and does nothing
else. Python keeps the modules that it has compiled, as it does for an installed program. At the end the site is held against
one that was published all at once, file by file, but for what tells its own history.
"""

import filecmp
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

from scrutineer.cli.office import Office, stretches
from scrutineer.cli.statement_files import read_statements

FLOOR: Final = """
import sys
from pathlib import Path
import scrutineer.cli.publish_commands
from scrutineer.cli.office import Office
office = Office.load(Path(sys.argv[1]))
log = office.sign_log()
office.count(log)
log.close()
"""


def main(stations: int, sheets: int, rounds: int, workers: int) -> None:
    with tempfile.TemporaryDirectory(prefix="update-") as name:
        folder = Path(name)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        scrutineer("simulate", "--stations", stations, "--seed", 7, "--out", folder / "simulated")
        office, site = folder / "simulated" / "election", folder / "site"
        statements = list(read_statements(folder / "simulated" / "statements.bundle"))
        late = rounds * sheets
        append(office, statements[:-late])
        publish = ("publish", office, "--to", site, "--workers", workers, "--json")
        first, _ = timed("-m", "scrutineer", *publish)
        size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
        print(f"{stations:,} stations, {workers} workers; first publication {first:.1f} s, {size / 1e6:,.0f} MB")
        waited, floors = [], []
        for number in range(rounds):
            start = len(statements) - late + number * sheets
            append(office, statements[start : start + sheets])
            seconds, cpu = timed("-m", "scrutineer", *publish)
            floor, floor_cpu = timed("-c", FLOOR, office)
            told = json.loads(subprocess.run(command("-m", "scrutineer", *publish), check=True, capture_output=True).stdout)
            print(
                f"{sheets} new sheets: {seconds:.2f} s ({cpu:.2f} CPU-s); floor {floor:.2f} s ({floor_cpu:.2f} CPU-s); "
                f"{told['files']:,} files"
            )
            waited.append(seconds)
            floors.append(floor)
        both = median(waited), median(floors)
        print(f"median {both[0]:.2f} s (to reach: 5), {both[0] / both[1]:.1f} times the floor of {both[1]:.2f} s")
        if rounds == 1:
            return
        scrutineer("publish", office, "--to", folder / "again", "--workers", workers)
        print(f"files that differ from a site published all at once: {different(site, folder / 'again')}")


def append(office: Path, statements: list[bytes]) -> None:
    """Put statements in the log."""
    log = Office.load(office).open_log()
    try:
        for some in stretches(islice(statements, len(statements)), 8_192):
            log.append(some)
    finally:
        log.close()


def different(site: Path, other: Path) -> int:
    """Files of one site that the other has not, or has otherwise."""
    return sum(
        1
        for path in site.rglob("*")
        if path.is_file()
        and not path.name.startswith(".")
        and not ((twin := other / path.relative_to(site)).is_file() and filecmp.cmp(path, twin, shallow=False))
    )


def command(*arguments: object) -> list[str]:
    """A command line of this interpreter."""
    return [sys.executable, *map(str, arguments)]


def scrutineer(*arguments: object) -> None:
    """Run a command to its end."""
    subprocess.run(command("-m", "scrutineer", *arguments), check=True, stdout=subprocess.DEVNULL)


def timed(*arguments: object) -> tuple[float, float]:
    """Seconds until a process has ended, and CPU seconds of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run(command(*arguments), check=True, stdout=subprocess.DEVNULL)
    waited = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return waited, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    given = [int(argument.replace(",", "").replace("_", "")) for argument in sys.argv[1:]]
    main(*(given + [30_000, 500, 3, len(os.sched_getaffinity(0))][len(given) :]))
