"""Parts that tests of the voting machine share: poll workers' keys, a machine in a folder, voters who choose."""

import random
from pathlib import Path

from gmpy2 import mpz

from ballot_helpers import OneHand, every_contest, one_hand, seeded
from scrutineer.ballots.encrypt import ContestChoice
from scrutineer.ballots.manifest import Manifest
from scrutineer.ballots.record import Ballot, BundleClosing
from scrutineer.statements import SigningKey
from scrutineer.station.voting.machine import VotingMachine

STATION, DEVICE = "north-1", "north-1/machine-1"
WORKERS = tuple(SigningKey(bytes((number,)) * 32) for number in range(1, 5))
PUBLIC = tuple(worker.public_key for worker in WORKERS)


def machine(folder: Path, hand: OneHand | None = None, styles: tuple[int, ...] = (1,)) -> VotingMachine:
    """A machine in a folder, as it stands there."""
    hand = hand or one_hand(every_contest())
    return VotingMachine(folder, hand.keys, STATION, DEVICE, styles=styles, window=2)


def opened(folder: Path, hand: OneHand | None = None, styles: tuple[int, ...] = (1,)) -> VotingMachine:
    """A machine that was opened by poll workers."""
    made = machine(folder, hand, styles)
    made.begin(PUBLIC)
    return made


def choices(manifest: Manifest, style: int, chance: random.Random) -> dict[int, ContestChoice]:
    """What some voter chooses: one option, or nothing, in each contest."""
    made = {}
    for number in manifest.style(style).contests:
        contest = manifest.contest(number)
        labels = contest.labels()
        values = [0] * len(labels)
        option = chance.randrange(len(contest.options) + 1)
        if option < len(contest.options):
            values[option] = 1
            if "*undervotes" in labels:
                values[labels.index("*undervotes")] = contest.selection_limit - 1
        elif "*blank" in labels:
            values[labels.index("*blank")] = 1
        made[number] = ContestChoice(tuple(values), bytes(32 * contest.data_blocks))
    return made


def decrypted(hand: OneHand, closing: BundleClosing) -> dict[int, tuple[int, ...]]:
    """The encrypted totals of a bundle, decrypted by the one hand that holds the secret."""
    group = hand.keys.group
    found = {}
    for contest in closing.totals:
        counts = []
        for field in contest.fields:
            value = group.element(field.beta) * group.power(group.element(field.alpha), -hand.vote_secret) % group.p
            power, count = mpz(1), 0
            while power != value:
                power, count = power * hand.keys.vote_key % group.p, count + 1
                assert count < 100_000, "no count of ballots"
            counts.append(count)
        found[contest.contest] = tuple(counts)
    return found


def codes(ballots: list[Ballot], status: str) -> list[bytes]:
    """The codes of the ballots of a status, in the order of the chain."""
    return [ballot.code for ballot in ballots if ballot.status == status]


__all__ = ["DEVICE", "PUBLIC", "STATION", "WORKERS", "choices", "codes", "decrypted", "machine", "opened", "seeded"]
