"""Records that dishonest people made together: what keeps a false total or a single vote from them."""

import hashlib

import msgspec
from gmpy2 import mpz

from ballot_helpers import SMALL, one_contest, seeded
from record_helpers import Record, make_bundle
from scrutineer.ballots.bundle import read_line
from scrutineer.ballots.ceremony import Ceremony, terms_of
from scrutineer.ballots.hashing import Use, challenge, small
from scrutineer.ballots.keys import GuardianKeys, KeyRecord, election_keys
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.record import BundleClosing, ContestTotals, FieldTotal, TallyRecord
from scrutineer.ballots.shares import Kind, prove_secrets
from second_look_helpers import look

MANIFEST = one_contest(3)


def cancelling(kind: Kind) -> KeyRecord:
    """Keys of two trustees whose secrets of one kind add up to 0, with all their proofs in order."""
    steps, secret, random = Ceremony(SMALL, terms_of(SMALL, MANIFEST, 2, 1)), mpz(12345), seeded("cancelling")
    made: list[GuardianKeys] = []
    for index, own in ((1, secret), (2, SMALL.q - secret)):
        secrets, keys = steps.make_guardian(index, f"Trustee {index}", random)
        elements = (SMALL.element_bytes(SMALL.power(SMALL.g, own)), keys.communication)
        proof = prove_secrets(
            SMALL,
            steps.terms.parameter_hash,
            kind,
            index,
            (own, secrets.communication),
            elements,
            random,
        )
        made.append(msgspec.structs.replace(keys, **{kind: elements[:1], f"{kind}_proof": proof}))
    return steps.join_keys(MANIFEST, made)


def claimed(record: KeyRecord, bundle: bytes, totals: tuple[int, ...]) -> bytes:
    """A tally record with any totals at all, which proves them under a joint key that is 1."""
    keys = election_keys(record, SMALL)
    closing = read_line(bundle.splitlines(keepends=True)[-1])
    assert isinstance(closing, BundleClosing)
    fields = []
    parts = zip(MANIFEST.contests[0].labels(), closing.totals[0].fields, totals, strict=True)
    for number, (label, encrypted, total) in enumerate(parts, 1):
        u, one = mpz(1000 + number), SMALL.element_bytes(mpz(1))
        a = SMALL.element_bytes(SMALL.power(SMALL.g, u))
        b = SMALL.element_bytes(SMALL.power(SMALL.element(encrypted.alpha), u))
        hashed = (small(1), small(number), encrypted.alpha, encrypted.beta, a, b, encrypted.beta)
        c = challenge(SMALL, keys.extended_hash, Use.DECRYPTION_PROOF, *hashed)
        fields.append(FieldTotal(label, total, one, SMALL.scalar_bytes(c) + SMALL.scalar_bytes(u)))
    contest = ContestTotals(MANIFEST.contests[0].label, tuple(fields))
    return TallyRecord(FORMAT, keys.extended_hash, hashlib.sha256(bundle).digest(), (contest,)).encode()


def test_trustees_who_make_a_joint_key_of_one_prove_nothing() -> None:
    """Under such a key every proof of every total holds: both verifiers have to refuse the key itself."""
    keys = cancelling("vote")
    bundle, _ = make_bundle(election_keys(keys, SMALL), ("cast", "cast"))
    record = Record(keys.encode(), (bundle,), (claimed(keys, bundle, (999, 0, 7)),))
    report = record.check()
    assert report.checks == ("R.1",)
    assert report.failures[0].message == "the joint key for votes is 1: it hides nothing and proves nothing"
    assert look(record).checks() == {"R.1"}


def test_a_joint_key_of_one_would_show_every_nonce() -> None:
    keys = cancelling("data")
    record = Record(keys.encode(), (), ())
    assert record.check().checks == ("R.1",)
    assert look(record).checks() == {"R.1"}
