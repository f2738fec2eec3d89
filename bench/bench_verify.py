"""`verify` of a published site against bare libsodium on the same signatures.

    python bench/bench_verify.py [STATIONS [PAGES]]

PAGES is `none`, `units` or `stations` as for `scrutineer publish`. Prints CPU seconds, peak memory and the ratio to the floor,
which is measured before and after in the same run because shared machines change their speed.
"""

import gc
import resource
import shutil
import subprocess
import sys
import time

from nacl import bindings

from electorate import FOLDER, MASTER, electorate, filled_log, log_signer
from scrutineer.calls import bulletin_calls
from scrutineer.count import Count, make_bulletin
from scrutineer.portal.publish import publish
from scrutineer.portal.record import Pages, Record, SiteOptions
from scrutineer.simulate import OFFICERS
from scrutineer.statements import is_tally_sheet, sign_statement
from scrutineer.statements.policy import Policy
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site

SAMPLE = 100_000


def main(stations: int, pages: Pages) -> None:
    electorate(stations)
    site = FOLDER / f"site-{stations}-{pages}"
    if not (site / "manifest").is_file():
        # In a process of its own, so that its memory is not counted below.
        subprocess.run([sys.executable, __file__, "publish", str(stations), pages], check=True)
    floor = floor_apart(stations)
    started, wall = time.process_time(), time.monotonic()
    gc.disable()
    report = verify_site(FolderSource(site))
    gc.enable()
    spent, waited = time.process_time() - started, time.monotonic() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    floor = (floor + floor_apart(stations)) / 2 * report.sheets
    print(f"verify: {report.sheets:,} sheets, {report.files:,} files, {len(report.findings)} findings")
    print(f"{spent:.1f} CPU-s (to reach at 1,050,000: 75), {waited:.1f} s, peak {peak:,.0f} MiB (to reach: 1,000)")
    print(f"bare libsodium on as many signatures: {floor:.1f} CPU-s; ratio {spent / floor:.2f} (to reach: 1.4)")


def floor_apart(stations: int) -> float:
    """`bare_libsodium` in a process of its own, so that its memory is not counted as that of `verify`."""
    done = subprocess.run([sys.executable, __file__, "floor", str(stations)], check=True, capture_output=True, text=True)
    return float(done.stdout)


def bare_libsodium(stations: int) -> float:
    """CPU seconds for one verification, over a sample of the electorate's own sheets."""
    made = electorate(stations)
    policy = Policy(made.election())
    signed = []
    for entry in made.entries():
        if is_tally_sheet(entry):
            reading = policy.read_sheet(entry)
            signed.append((reading.signature + reading.signed, reading.public_key))
            if len(signed) == SAMPLE:
                break
    started = time.process_time()
    for message, key in signed:
        bindings.crypto_sign_open(message, key)
    return (time.process_time() - started) / len(signed)


def publish_electorate(stations: int, pages: Pages) -> None:
    """Put an electorate's entries in a log, with one bulletin, and publish it."""
    made = electorate(stations)
    log = filled_log(made, FOLDER / f"log-{stations}-{pages}")
    election = made.election()
    count = Count(election)
    count.apply(log.entries())
    bulletin = make_bulletin(count, log.root(), number=1, time=1_800_000_000, calls=bulletin_calls(count))
    log.append([sign_statement(bulletin, OFFICERS[0], MASTER.derive(OFFICERS[0]))])
    count.apply(log.entries(count.size))
    head = log.head
    if head is None:
        raise SystemExit("the log is empty")
    record = Record(
        election,
        count,
        made.definition,
        made.units_csv,
        made.register_csv,
        log.checkpoint(),
        head,
        log.tree,
        log.verifier,
        log.entry,
        SiteOptions(pages, "stations" if pages == "stations" else "units"),
        shapes_table=made.shapes,
    )
    site = FOLDER / f"site-{stations}-{pages}"
    shutil.rmtree(site, ignore_errors=True)
    publish(record, log.entries, log_signer(), site)
    log.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["floor"]:
        print(bare_libsodium(int(sys.argv[2])))
    elif sys.argv[1:2] == ["publish"]:
        publish_electorate(int(sys.argv[2]), sys.argv[3])  # type: ignore[arg-type]
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_050_000, sys.argv[2] if len(sys.argv) > 2 else "none")  # type: ignore[arg-type]
