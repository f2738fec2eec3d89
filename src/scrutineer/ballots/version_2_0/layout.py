"""The files of an ElectionGuard 2.0.0 record as egk-ec reads them: JSON whose names are that program's, not ours.

Elements, scalars and hashes are big-endian bytes in base64. ElectionGuard 2.0.0 itself fixes no files.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from scrutineer.ballots.group import SCALAR_SIZE, Group
from scrutineer.ballots.manifest import Manifest, ManifestContest
from scrutineer.ballots.version_2_0.contest_data import SealedData
from scrutineer.ballots.version_2_0.decrypt import DecryptedData, DecryptedOption, read_status
from scrutineer.ballots.version_2_0.encrypt import Ciphertext, EncryptedBallot, EncryptedContest
from scrutineer.ballots.version_2_0.hashes import SPECIFICATION
from scrutineer.ballots.version_2_0.keys import Keys20

CONSTANTS: Final = "constants.json"
MANIFEST: Final = "manifest.json"
CONFIG: Final = "election_config.json"
INITIALIZED: Final = "election_initialized.json"
ENCRYPTED_TALLY: Final = "encrypted_tally.json"
TALLY: Final = "tally.json"
PURPOSE: Final = "test election: the ballots are a lot, the guardians one program"

Json = dict[str, Any]


def ballot_path(device: str, ballot: str) -> str:
    """Where an encrypted ballot stands."""
    return f"encrypted_ballots/{device}/eballot-{ballot}.json"


def chain_path(device: str) -> str:
    """Where the chain of a device's ballots stands."""
    return f"encrypted_ballots/{device}/ballot_chain.json"


def opened_path(ballot: str) -> str:
    """Where a decrypted challenged ballot stands."""
    return f"challenged_ballots/dballot-{ballot}.json"


def encode(value: Json) -> bytes:
    """A file's bytes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def constants_json(group: Group) -> Json:
    """The parameters of the group, in hexadecimal digits."""
    numbers = {"largePrime": group.p, "smallPrime": group.q, "cofactor": group.cofactor, "generator": group.g}
    return {
        "name": "Integer4096",
        "type": "IntegerGroup",
        "protocolVersion": SPECIFICATION,
        "constants": {name: f"{int(number):x}" for name, number in numbers.items()},
    }


def manifest_json(manifest: Manifest) -> Json:
    """The contests, options and ballot styles. Each contest has a district of its own, by which styles name it."""
    contests = [_contest(number, contest) for number, contest in enumerate(manifest.contests, 1)]
    candidates = [option["candidate_id"] for contest in contests for option in contest["ballot_selections"]]
    return {
        "election_scope_id": f"{manifest.election}-test",
        "spec_version": SPECIFICATION,
        "type": "other",
        "start_date": manifest.date,
        "end_date": manifest.date,
        "geopolitical_units": [
            {"object_id": contest["electoral_district_id"], "name": contest["name"], "type": "other", "contact_information": None}
            for contest in contests
        ],
        "ballot_styles": [
            {
                "object_id": style.label,
                "geopolitical_unit_ids": [contests[number - 1]["electoral_district_id"] for number in style.contests],
                "party_ids": [],
                "image_url": None,
            }
            for style in manifest.styles
        ],
        "contests": contests,
        "candidates": [
            {"object_id": label, "name": None, "party_id": None, "image_url": None, "is_write_in": False} for label in candidates
        ],
        "contact_information": None,
        "name": [{"value": f"{manifest.name} ({PURPOSE})", "language": "en"}],
        "parties": [],
    }


def _contest(number: int, contest: ManifestContest) -> Json:
    # Scores are `cumulative` by their nature, a word that the reader of this layout refuses; it checks their proofs as `n_of_m`.
    several = "n_of_m" if contest.selection_limit <= len(contest.options) else "cumulative"
    return {
        "object_id": contest.label,
        "sequence_order": number,
        "electoral_district_id": f"district-{number}",
        "vote_variation": "one_of_m" if contest.selection_limit == 1 else several,
        "number_elected": 1,
        "votes_allowed": contest.selection_limit,
        "name": contest.label,
        "ballot_selections": [
            {"object_id": option, "sequence_order": place, "candidate_id": f"{contest.label}/{option}"}
            for place, option in enumerate(contest.options, 1)
        ],
        "ballot_title": None,
        "ballot_subtitle": None,
        "option_selection_limit": contest.option_limit,
    }


def config_json(keys: Keys20, dialect: str) -> Json:
    """How many guardians there are, and the base hashes. The auxiliary bytes of a chain are the device's name."""
    return {
        "config_version": "2.1.0",
        "number_of_guardians": len(keys.guardians),
        "quorum": keys.quorum,
        "parameter_base_hash": keys.parameter_hash,
        "manifest_hash": keys.manifest_hash,
        "election_base_hash": keys.base_hash,
        "chain_confirmation_codes": True,
        "baux0": b"",
        "metadata": {"purpose": PURPOSE, "hashes": dialect},
    }


def initialized_json(keys: Keys20) -> Json:
    """The guardians' keys with their proofs, and the joint key."""
    return {
        "joint_public_key": keys.key_bytes,
        "extended_base_hash": keys.extended_hash,
        "guardians": [
            {
                "guardian_id": each.name,
                "x_coordinate": each.index,
                "coefficient_proofs": [
                    {"public_key": key.element, "challenge": key.challenge, "response": key.response} for key in each.keys
                ],
            }
            for each in keys.guardians
        ],
        "metadata": {},
    }


def ballot_json(keys: Keys20, ballot: EncryptedBallot, name: str, device: str, *, challenged: bool) -> Json:
    """An encrypted ballot. Its time of encryption is not told: the field is 0."""
    return {
        "ballot_id": name,
        "ballot_style_id": keys.manifest.style(ballot.style).label,
        "encrypting_device": device,
        "timestamp": 0,
        "code_baux": ballot.auxiliary.hex().upper(),
        "confirmation_code": ballot.code,
        "election_id": keys.extended_hash,
        "contests": [_encrypted(keys.manifest.contest(each.number), each) for each in ballot.contests],
        "state": "CHALLENGED" if challenged else "CAST",
        "encrypted_sn": None,
        "is_preencrypt": False,
    }


def _encrypted(contest: ManifestContest, encrypted: EncryptedContest) -> Json:
    return {
        "contest_id": contest.label,
        "sequence_order": encrypted.number,
        "contest_hash": encrypted.hash,
        "selections": [
            {**_placed(label, place, ciphertext), "proof": _range_proof(proof)}
            for place, (label, ciphertext, proof) in enumerate(
                zip(contest.options, encrypted.options, encrypted.proofs, strict=True), 1
            )
        ],
        "proof": _range_proof(encrypted.limit_proof),
        "encrypted_contest_data": _sealed(encrypted.data),
        "pre_encryption": None,
    }


def _placed(label: str, place: int, ciphertext: Ciphertext) -> Json:
    return {"selection_id": label, "sequence_order": place, "encrypted_vote": _ciphertext(ciphertext)}


def _ciphertext(ciphertext: Ciphertext) -> Json:
    return {"pad": ciphertext.alpha, "data": ciphertext.beta}


def _range_proof(proof: bytes) -> Json:
    scalars = [proof[at : at + SCALAR_SIZE] for at in range(0, len(proof), SCALAR_SIZE)]
    half = len(scalars) // 2
    return {"proofs": [_pair(c, v) for c, v in zip(scalars[:half], scalars[half:], strict=True)]}


def _pair(challenge: bytes, response: bytes) -> Json:
    return {"challenge": challenge, "response": response}


def _sealed(data: SealedData) -> Json:
    return {"c0": data.point, "c1": data.hidden, "c2": data.code, "numBytes": len(data.hidden)}


def chain_json(keys: Keys20, device: str, ballots: Sequence[str], last: bytes, closing: bytes) -> Json:
    """The order of a device's ballots, and the hash that closes their chain."""
    return {
        "encrypting_device": device,
        "baux0": list(device.encode()),
        "election_base_hash": keys.extended_hash,
        "ballot_ids": list(ballots),
        "last_confirmation_code": last,
        "closing_hash": closing,
        "metadata": {},
    }


def encrypted_tally_json(
    keys: Keys20, totals: dict[int, tuple[Ciphertext, ...]], counts: dict[int, int], cast: Sequence[str]
) -> Json:
    """The products of all cast ballots, by contest number."""
    return {
        "tally_id": "tally",
        "contests": [
            {
                "contest_id": keys.manifest.contest(number).label,
                "sequence_order": number,
                "selections": [
                    _placed(label, place, ciphertext)
                    for place, (label, ciphertext) in enumerate(zip(keys.manifest.contest(number).options, own, strict=True), 1)
                ],
                "ballot_count": counts[number],
            }
            for number, own in totals.items()
        ],
        "cast_ballot_ids": list(cast),
        "election_id": keys.extended_hash,
    }


def decrypted_json(
    keys: Keys20,
    name: str,
    contests: dict[int, list[tuple[Ciphertext, DecryptedOption]]],
    counts: dict[int, int],
    data: dict[int, tuple[SealedData, DecryptedData]],
) -> Json:
    """Decrypted totals, or a decrypted challenged ballot, which alone has contest data."""
    return {
        "id": name,
        "contests": [
            {
                "contest_id": keys.manifest.contest(number).label,
                "selections": [
                    {
                        "selection_id": label,
                        "tally": found.value,
                        "b_over_m": found.power,
                        "encrypted_vote": _ciphertext(ciphertext),
                        "proof": _pair(found.challenge, found.response),
                    }
                    for label, (ciphertext, found) in zip(keys.manifest.contest(number).options, own, strict=True)
                ],
                "ballot_count": counts[number],
                "decrypted_contest_data": _opened(*data[number]) if number in data else None,
            }
            for number, own in contests.items()
        ],
        "election_id": keys.extended_hash,
    }


def _opened(sealed: SealedData, found: DecryptedData) -> Json:
    return {
        "contest_data": {"over_votes": [], "write_ins": [], "status": read_status(found.data)},
        "encrypted_contest_data": _sealed(sealed),
        "proof": _pair(found.challenge, found.response),
        "beta": found.shared,
    }
