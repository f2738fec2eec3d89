"""Ports of this machine that nobody listens on, and that nobody is given by the system before they are used."""

import os
import random
import socket
from contextlib import ExitStack

_FIRST, _LAST = 10_000, 32_000
"""Below those that systems hand out by themselves (from 32768 on Linux), for listeners and for connections alike."""

_dice = random.Random(os.getpid())


def ports_in_a_row(count: int) -> list[int]:
    """Free ports, one after the other."""
    for _ in range(1_000):
        first = _dice.randrange(_FIRST, _LAST - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return list(range(first, first + count))
    raise RuntimeError(f"no {count} ports in a row are free")


def free_port() -> int:
    """A free port."""
    return ports_in_a_row(1)[0]


def free_ports(count: int) -> list[int]:
    """Free ports."""
    return [free_port() for _ in range(count)]
