"""A bad network between two places: two namespaces whose only link loses, delays, doubles and reorders packets, or is cut.

Each namespace has a TUN device, and a thread carries the packets from one to the other. What runs in the namespaces speaks real
TCP through the kernel; the same conditions as with `tc netem`, for kernels that have no such module too.
"""

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_NETWORK = "10.77.0"


@dataclass(frozen=True)
class Weather:
    """What happens to each packet, in either direction."""

    loss: float = 0.0
    """The share of packets that are lost."""
    delay: float = 0.0  # seconds, each way
    jitter: float = 0.0  # seconds at most; packets overtake each other by it
    doubled: float = 0.0
    """The share of packets that arrive twice."""
    cut: bool = False


class Link:
    """The two places, "centre" and "stations", and the link between them."""

    def __init__(self, seed: int) -> None:
        self.weather = Weather()
        self.carried = self.lost = self.doubled = 0
        self._dice = random.Random(seed)
        self._names = {place: f"scrutineer-{os.getpid()}-{place}" for place in ("centre", "stations")}
        self._ends: list[int] = []
        self._thread: threading.Thread | None = None
        self._bell = os.pipe()

    def address(self, place: str) -> str:
        """The IP address of a place."""
        return f"{_NETWORK}.{1 + list(self._names).index(place)}"

    def command(self, place: str, *command: str) -> list[str]:
        """A command as it is run in a place."""
        return ["ip", "netns", "exec", self._names[place], *command]

    def open(self) -> None:
        """Make namespaces, devices and the thread between them."""
        for place, name in self._names.items():
            _run("ip", "netns", "add", name)
            self._ends.append(_tun_in(name))
            _run("ip", "-n", name, "address", "add", f"{self.address(place)}/24", "dev", "tun0")
            for device in ("lo", "tun0"):
                _run("ip", "-n", name, "link", "set", device, "up")
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take everything away again."""
        os.write(self._bell[1], b"!")
        if self._thread is not None:
            self._thread.join()
        for handle in (*self._ends, *self._bell):
            os.close(handle)
        for name in self._names.values():
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def _carry(self) -> None:
        dice, under_way, number = self._dice, [], 0
        while True:
            pause = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
            ready, _, _ = select.select([*self._ends, self._bell[0]], [], [], pause)
            if self._bell[0] in ready:
                return
            for handle in ready:
                packet = os.read(handle, 65_535)
                weather = self.weather
                if weather.cut or dice.random() < weather.loss:
                    self.lost += 1
                    continue
                copies = 1 + (dice.random() < weather.doubled)
                self.doubled += copies - 1
                other = self._ends[1 - self._ends.index(handle)]
                for _ in range(copies):
                    number += 1
                    due = time.monotonic() + weather.delay + dice.random() * weather.jitter
                    heapq.heappush(under_way, (due, number, other, packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, _, other, packet = heapq.heappop(under_way)
                self.carried += 1
                with contextlib.suppress(OSError):  # A device that is down takes no packets, as a pulled cable does not.
                    os.write(other, packet)


@contextlib.contextmanager
def link(seed: int) -> Iterator[Link]:
    """A link for the length of a block; skips the calling test, with the reason, where this is not permitted."""
    made = Link(seed)
    try:
        made.open()
    except (OSError, subprocess.CalledProcessError) as error:
        made.close()
        detail = error.stderr.decode().strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        pytest.skip(f"network namespaces with a TUN device are not permitted here: {detail}")
    try:
        yield made
    finally:
        made.close()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _tun_in(namespace: str) -> int:
    """A TUN device `tun0` in a namespace; the handle by which its packets are read and written here."""
    opened: list[int] = []
    failed: list[OSError] = []

    def work() -> None:
        # The namespace is that of this thread alone, and the device stays in it.
        try:
            with Path("/run/netns", namespace).open("rb") as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            handle = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH22x", b"tun0", _IFF_TUN | _IFF_NO_PI))
            opened.append(handle)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return opened[0]
