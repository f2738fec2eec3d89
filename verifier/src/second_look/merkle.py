"""The log: tree, tiles and entry bundles (docs/formats.md, "The log"; RFC 9162, section 2.1; C2SP tlog-tiles)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from second_look.report import FormatError

WIDTH = 256


def statement_hash(statement: bytes) -> bytes:
    """The name of a statement, which is its leaf hash."""
    return hashlib.sha256(b"\x00" + statement).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: list[bytes]) -> bytes:
    """The root over leaf hashes: neighbours are joined, and a last one without a neighbour goes up as it is."""
    level = leaves
    while len(level) > 1:
        above = [node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = above + level[len(above) * 2 :]
    return level[0]


def roots_at(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """The roots of the first so many leaves, for several sizes at once: what earlier heads must have been."""
    found: dict[int, bytes] = {}
    stack: list[tuple[int, bytes]] = []  # whole subtrees from left to right: how many leaves, and their root
    for size, leaf in enumerate(leaves, start=1):
        count, own = 1, leaf
        while stack and stack[-1][0] == count:
            own = node(stack.pop()[1], own)
            count *= 2
        stack.append((count, own))
        if size in sizes:
            total = stack[-1][1]
            for _, left in reversed(stack[:-1]):
                total = node(left, total)
            found[size] = total
    return found


def tile_path(number: int) -> str:
    """A tile's number in groups of three digits: 1234067 is x001/x234/067."""
    path = f"{number % 1000:03}"
    while number := number // 1000:
        path = f"x{number % 1000:03}/{path}"
    return path


def read_entries(folder: Path, size: int) -> Iterator[bytes]:
    """The first `size` entries, from the entry bundles of a folder `log`."""
    for number in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - number * WIDTH)
        name = f"tile/entries/{tile_path(number)}" + (f".p/{width}" if width < WIDTH else "")
        path = folder / name
        if not path.is_file():
            raise FormatError(f"{name} is missing")
        data, at, count = path.read_bytes(), 0, 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            if end > len(data) or at + 2 > len(data):
                raise FormatError(f"{name} ends within an entry")
            yield data[at + 2 : end]
            at, count = end, count + 1
        if count != width:
            raise FormatError(f"{name} holds {count} entries instead of {width}")


def wrong_tiles(folder: Path, leaves: list[bytes]) -> list[str]:
    """The hash tiles of a folder `log` that are missing or do not hold this tree's hashes, at its size."""
    wrong = []
    level, hashes = 0, leaves
    while hashes:
        for number in range((len(hashes) + WIDTH - 1) // WIDTH):
            own = hashes[number * WIDTH : (number + 1) * WIDTH]
            name = f"tile/{level}/{tile_path(number)}" + (f".p/{len(own)}" if len(own) < WIDTH else "")
            path = folder / name
            if not path.is_file() or path.read_bytes() != b"".join(own):
                wrong.append(name)
        # The next level has the roots of full tiles alone: eight levels of the tree at once.
        hashes = [root(hashes[at : at + WIDTH]) for at in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        level += 1
    return wrong
