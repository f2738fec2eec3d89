"""Ticket numbers of all cards of an audit and the draw of a sample, beside bare SHA-256 of as many short messages.

    python bench/bench_audit_tickets.py [CARDS]

Prints CPU seconds of both (to reach: 10,000,000 cards in 10 s), their ratio, and what the draw adds to the memory.
"""

import resource
import sys
import time
from hashlib import sha256

from scrutineer.audits.manifest import Manifest
from scrutineer.audits.sampling.canonical import draw_cards

SEED = "31415926535897932384"
BOX = 700
"""Cards of a box."""
SAMPLE = 2_000


def main(cards: int) -> None:
    manifest = Manifest.of((f"finch county/box {number:06}", BOX) for number in range(-(-cards // BOX)))

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    sample = draw_cards(SEED, manifest, SAMPLE, replacement=False)
    drawing = time.process_time() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    print(f"draw of {len(sample):,} from {manifest.total:,} cards: {drawing:.2f} CPU-s, {memory / 1024:.0f} MB on top")

    message = bytes(40)
    started = time.process_time()
    for _ in range(manifest.total):
        sha256(message).digest()
    floor = time.process_time() - started
    print(f"bare SHA-256 of as many messages of 40 bytes: {floor:.2f} CPU-s; ratio {drawing / floor:.2f}")
    print(f"10,000,000 cards: {drawing * 10_000_000 / manifest.total:.1f} CPU-s (to reach: 10)")

    started = time.process_time()
    draw_cards(SEED, manifest, SAMPLE, replacement=True)
    print(f"as many draws with replacement: {time.process_time() - started:.3f} CPU-s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
