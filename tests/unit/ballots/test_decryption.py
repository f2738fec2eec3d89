"""Decryption by a quorum: totals, challenged ballots and contest data; and who spoilt it."""

from itertools import combinations

from ballot_helpers import SMALL, one_contest, seeded
from ceremony_helpers import ceremony, decrypt
from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.keys import election_keys


def test_three_of_five() -> None:
    record, shares = ceremony(one_contest(3), 5, 3)
    keys = election_keys(record, SMALL)
    encryptor = Encryptor(keys, random=seeded("ballots"))
    writer = BundleWriter(keys, "north-1", "device 1")
    lines = [writer.header()]
    for choice in ((1, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 0)):
        lines.append(writer.add(encryptor.encrypt(1, {1: ContestChoice(choice)}, writer.chain).ballot))
    lines.append(writer.close())
    for chosen in combinations(shares, 3):
        tally = decrypt(record, chosen, lines)
        assert [field.total for field in tally.contests[0].fields] == [2, 1, 0]
