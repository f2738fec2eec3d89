"""Parts that tests of encrypted ballots share: a small group, seeded randomness, a manifest of birds, keys of one hand."""

import hashlib
from dataclasses import dataclass

from gmpy2 import mpz

from scrutineer.ballots.group import Group, RandomBytes
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FORMAT, Manifest, ManifestContest, Party, Style

SMALL = Group(
    0x800000000000000000000000000000000000000000000000000000000000C24F7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF70458B,
    2**256 - 189,
    0x289B60D7BB719354BD315A57CD69F13F7C4CA85E079E2DE1B50B9D29F8A32D4B4CB8E1E172B5FBBFCF224603C75D9C2FFD5F0F91B34CFE994C24757A0642D43A,
)
"""512 bits with the standard q and a prime (p - 1) / 2q, as the standard group has: 30 times faster, and no protection at all."""


def seeded(seed: object) -> RandomBytes:
    """Bytes that look random and are the same in every run."""
    state = hashlib.shake_256(repr(seed).encode())
    drawn = 0

    def random(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        own = state.copy()
        own.update(drawn.to_bytes(8, "big"))
        return own.digest(size)

    return random


BIRDS = ("wren", "owl", "heron", "robin", "siskin", "linnet", "dunnock", "plover", "gannet", "avocet")


def one_contest(options: int = 10, limit: int = 1) -> Manifest:
    """The ballot of the benchmarks: one contest without supplemental fields."""
    names = tuple(BIRDS[:options]) if options <= len(BIRDS) else tuple(f"bird-{number}" for number in range(options))
    contest = ManifestContest("warden", names, limit)
    return Manifest("aviary", "Aviary", "2026-06-07", (contest,), (Style("all", (1,)),), FORMAT)


def every_contest() -> Manifest:
    """Every kind of contest: one choice, several with write-ins, scores, yes or no, and ranked; two ballot styles and a party."""
    contests = (
        ManifestContest("warden", ("wren", "owl", "heron"), 1, 1, ("blank", "null")),
        ManifestContest("council", BIRDS[:5], 3, 1, ("blank", "null", "undervotes", "write-ins"), 4),
        ManifestContest("scores", ("elm", "oak"), 5, 3),
        ManifestContest("pond", ("yes", "no"), 1, 1, ("blank", "null")),
        ManifestContest("song", ("wren", "owl", "wren>owl", "owl>wren"), 1, 1, ("blank", "null"), 0, orders=True),
    )
    styles = (Style("all", (1, 2, 3, 4, 5)), Style("short", (1, 4)))
    parties = (Party("feather", "Feather List", ((1, 1), (2, 1), (2, 2))),)
    return Manifest("aviary", "Aviary", "2026-06-07", contests, styles, FORMAT, parties)


@dataclass(frozen=True)
class OneHand:
    """Keys whose secrets one hand holds, for tests that need no ceremony."""

    keys: ElectionKeys
    vote_secret: mpz
    data_secret: mpz


def one_hand(manifest: Manifest, group: Group = SMALL, seed: object = "one hand") -> OneHand:
    """Keys for a manifest, as one trustee alone would make them."""
    random = seeded(seed)
    vote, data = group.random_scalar(random), group.random_scalar(random)
    keys = ElectionKeys(group, manifest, 1, 1, group.power(group.g, vote), group.power(group.g, data))
    return OneHand(keys, vote, data)
