"""Ballots of electionguard 1.4.0; run by the Python (3.9) of an environment that has it, and by it alone.

    python electionguard_side.py OPTIONS [BALLOTS]

Encrypts ballots with one contest of OPTIONS, of which one is chosen, and checks them. Prints one line of JSON: CPU milliseconds
of one ballot (the best of five rounds) for `encrypt` and `verify`, and its `bytes` as JSON.
"""

import json
import logging
import sys
import time
from datetime import datetime


def main(options: int, ballots: int) -> None:
    from electionguard import manifest as m
    from electionguard.ballot import PlaintextBallot, PlaintextBallotContest, PlaintextBallotSelection
    from electionguard.election import make_ciphertext_election_context
    from electionguard.elgamal import elgamal_keypair_random
    from electionguard.encrypt import encrypt_ballot
    from electionguard.group import rand_q
    from electionguard.serialize import to_raw

    logging.disable(logging.CRITICAL)
    names = [f"bird-{number}" for number in range(options)]
    selections = [m.SelectionDescription(name, place, name) for place, name in enumerate(names)]
    contest = m.CandidateContestDescription("warden", 0, "aviary", m.VoteVariationType.one_of_m, 1, 1, "warden", selections)
    style = m.BallotStyle("all")
    style.geopolitical_unit_ids = ["aviary"]
    election = m.Manifest(
        "aviary",
        m.SpecVersion.EG1_0,
        m.ElectionType.general,
        datetime.now(),
        datetime.now(),
        [m.GeopoliticalUnit("aviary", "Aviary", m.ReportingUnitType.county)],
        [m.Party("feather")],
        [m.Candidate(name) for name in names],
        [contest],
        [style],
    )
    key = elgamal_keypair_random().public_key
    context = make_ciphertext_election_context(1, 1, key, rand_q(), election.crypto_hash())
    internal = m.InternalManifest(election)
    chosen = PlaintextBallotSelection(names[2], 1, False)
    plain = PlaintextBallot("ballot", "all", [PlaintextBallotContest("warden", [chosen])])
    best = {"encrypt": 1e9, "verify": 1e9}
    for _ in range(5):
        began = time.process_time()
        made = [encrypt_ballot(plain, internal, context, rand_q()) for _ in range(ballots)]
        best["encrypt"] = min(best["encrypt"], (time.process_time() - began) / ballots * 1000)
        began = time.process_time()
        for ballot in made:
            if not ballot.is_valid_encryption(internal.manifest_hash, key, context.crypto_extended_base_hash):
                sys.exit("electionguard does not accept a ballot of its own")
        best["verify"] = min(best["verify"], (time.process_time() - began) / ballots * 1000)
    print(json.dumps({**best, "bytes": len(to_raw(made[0]))}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4)
