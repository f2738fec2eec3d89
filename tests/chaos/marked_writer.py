"""A process that appends to a marked log until it is killed: `marked_writer.py <store> <mark> <seed> <heads before it dies>`.

It writes one line "ack <log size>" for each batch that was answered. With a number of heads above 0 it kills itself when the
n-th is durable in the store and not yet in the mark.
"""

import os
import random
import signal
import sys
from pathlib import Path

from log_helpers import signer
from scrutineer.log import Head, Log, SqliteStore
from scrutineer.log.mark import Mark


class DeadlyMark(Mark):
    """Kills the process in the moment before a head is marked."""

    left = 0

    def note(self, head: Head) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        super().note(head)


if __name__ == "__main__":
    place, mark_path, seed, die_at = sys.argv[1:]
    dice = random.Random(int(seed))
    mark = DeadlyMark(Path(mark_path))
    log = Log.open(SqliteStore.open(Path(place), create=True), signer(), mark=mark)
    mark.left = int(die_at)
    while True:
        log.append([b"entry %d" % (log.size + number) for number in range(dice.choice([1, 3, 50]))])
        os.write(1, b"ack %d\n" % log.size)
