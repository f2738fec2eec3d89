"""The checks that a record of encrypted ballots has to pass, each with its number, one plain sentence, and what to do.

The 64 lettered checks of verifications 1 to 19 are those of the ElectionGuard Design Specification 2.1.0, section 6.2. Checks of
ours are numbered `R.1` and up: they concern the form of the record, which the specification leaves open, and what can be shown
beyond it. docs/formats.md, "Ballot records", says what each of them demands.
"""

from typing import Final, NamedTuple


class Check(NamedTuple):
    """One check: what holds when it passes, and what a person should do when it fails."""

    number: str
    holds: str
    advice: str


_OTHER_VERSION: Final = (
    "Take the keys file from the signed definition of this election; if it is the same file, ask the trustees."
)
_CEREMONY: Final = "Do not use these keys: the trustees have to compare their copies and, if they differ, repeat the ceremony."
_BALLOT: Final = (
    "The ballot as it is published cannot be counted: compare it with the station's own copy and with its paper record."
)
_CHAIN: Final = "Fetch the station's record again and compare its hash with the signed tally sheet; if it stays, count the paper."
_TOTALS: Final = "Add up the station's ballots again from its own copy; until both agree, its paper record decides."
_DECRYPTION: Final = "Ask the trustees to decrypt this station again; nothing about the ballots themselves is doubted by this."
_OPENING: Final = (
    "Show it to the voter who challenged the ballot and to the poll workers: the machine may not encrypt what it is told."
)
_FORM: Final = "Fetch the file again from another mirror; if it stays, report it to whoever published it."
_PAPER: Final = "Compare the printed ballot with its record, and ask whoever printed it."


def _checks(verification: int, advice: str, *sentences: str) -> tuple[Check, ...]:
    return tuple(Check(f"{verification}.{'ABCDEFGH'[place]}", sentence, advice) for place, sentence in enumerate(sentences))


SPECIFIED: Final = (
    *_checks(
        1,
        _OTHER_VERSION,
        "The keys were made for version 2.1.0 of the specification.",
        "The large prime p is the standard one.",
        "The small prime q is the standard one.",
        "The generator g is the standard one.",
        "The parameter hash is that of p, q, g, the number of trustees and their quorum.",
        "The base hash is that of the manifest.",
    ),
    *_checks(
        2,
        _CEREMONY,
        "Every public key of every trustee is an element of the group.",
        "Every response in the proofs of the trustees' keys is below q.",
        "Every trustee proves to know the secrets behind the published keys.",
    ),
    *_checks(
        3,
        _CEREMONY,
        "The key for votes is the product of the trustees' keys for votes.",
        "The key for ballot data is the product of the trustees' keys for ballot data.",
    ),
    *_checks(4, _CEREMONY, "The extended base hash is that of the base hash and the two joint keys."),
    *_checks(
        5,
        _CHAIN,
        "No two ballots of the election have the same identifier.",
        "The identifier hash of every ballot is that of its identifier.",
    ),
    *_checks(
        6,
        _BALLOT,
        "Both parts of every encrypted choice are elements of the group.",
        "Every challenge in the proof of a choice is below q.",
        "Every response in the proof of a choice is below q.",
        "Every encrypted choice is proved to be between 0 and what one option may be given.",
    ),
    *_checks(
        7,
        _BALLOT,
        "Both parts of every encrypted choice that enter a contest's sum are elements of the group.",
        "Every challenge in the proof of a contest's sum is below q.",
        "Every response in the proof of a contest's sum is below q.",
        "The choices of every contest are proved to be no more than are allowed.",
    ),
    *_checks(
        8,
        _CHAIN,
        "The hash of every contest is that of its encrypted choices and data.",
        "The confirmation code of every ballot is that of its contests and its place in the chain.",
        "The device's hash is that of its description.",
        "On a device without chaining, every ballot names the device's hash.",
        "On a device with a chain, every ballot names the confirmation code before it.",
        "The chain begins with the hash of the device.",
        "The chain ends with the closing hash of the last confirmation code.",
    ),
    *_checks(
        9,
        _TOTALS,
        "The first part of every encrypted total is the product of those of all cast ballots.",
        "The second part of every encrypted total is the product of those of all cast ballots.",
    ),
    *_checks(
        10,
        _DECRYPTION,
        "The response in the proof of every decrypted total is below q.",
        "Every total is proved to be what the encrypted total holds.",
        "Every total is the number that its decrypted value stands for.",
    ),
    *_checks(
        11,
        _DECRYPTION,
        "Every contest of the decrypted totals is in the manifest.",
        "Every option of the decrypted totals is in its contest of the manifest.",
        "Every option of a contest in the manifest has a decrypted total.",
        "Every contest of at least one ballot is among the decrypted totals.",
    ),
    *_checks(
        12,
        _DECRYPTION,
        "The response in the proof of decrypted contest data is below q.",
        "Decrypted contest data come with a proof that the key to them is right.",
        "Decrypted contest data are what the ballot holds.",
    ),
    *_checks(
        13,
        _OPENING,
        "The contest data of every challenged ballot are what the ballot holds.",
        "The shown choices of every challenged ballot, encrypted again, give its confirmation code.",
    ),
    *_checks(
        14,
        _OPENING,
        "Every contest of a challenged ballot belongs to its ballot style.",
        "Every contest of the ballot style is on the challenged ballot.",
        "Every option of a challenged ballot belongs to its contest.",
        "Every option of the contest is on the challenged ballot.",
        "No option of a challenged ballot has more than one option may be given.",
        "No contest of a challenged ballot has more choices than are allowed.",
    ),
    *_checks(15, _BALLOT, "Several choices of a pre-encrypted contest are the product of the selections that the voter chose."),
    *_checks(
        16,
        _PAPER,
        "The hash of every selection of a pre-encrypted ballot is that of its encryptions.",
        "The hash of every contest of a pre-encrypted ballot is that of its sorted selection hashes.",
        "The confirmation code of every pre-encrypted ballot is that of its contests and its place in the chain.",
        "The hash of the device that made the pre-encrypted ballots is that of its description.",
        "On such a device without chaining, every ballot names the device's hash.",
        "On such a device with a chain, every ballot names the confirmation code before it.",
        "The chain of pre-encrypted ballots begins with the hash of the device.",
        "The chain of pre-encrypted ballots ends with the closing hash of the last confirmation code.",
    ),
    *_checks(17, _PAPER, "Every short code is the one of its selection's hash."),
    *_checks(18, _PAPER, "The shown selections of every unused pre-encrypted ballot give its confirmation code."),
    *_checks(
        19,
        _PAPER,
        "Every contest of an unused pre-encrypted ballot belongs to its ballot style.",
        "Every contest of the ballot style is on the unused pre-encrypted ballot.",
        "Every option of an unused pre-encrypted ballot belongs to its contest.",
        "Every option of the contest is on the unused pre-encrypted ballot.",
    ),
)
"""The 64 lettered checks of the specification."""

OURS: Final = (
    Check(
        "R.1", "The file of the trustees' keys is complete, within its limits, and in its only form; no joint key is 1.", _FORM
    ),
    Check("R.2", "Every line of a bundle is one value in its only form, within its limits, and ended by a line feed.", _FORM),
    Check("R.3", "A bundle has a header, then ballots of one kind, then a closing, and nothing after it.", _FORM),
    Check("R.4", "A bundle belongs to the election of these keys.", _FORM),
    Check("R.5", "Every ballot has the contests of its ballot style and all their fields, each of the right length.", _BALLOT),
    Check(
        "R.6",
        "Whoever encrypted a ballot's nonce and contest data proves to have known what opens them (equations 38 and 69).",
        _BALLOT,
    ),
    Check("R.7", "The closing of a bundle counts its ballots and has an encrypted total of every contest on them.", _TOTALS),
    Check("R.8", "Decrypted totals are in their only form and belong to these keys and to one bundle.", _FORM),
    Check(
        "R.9",
        "In contests with blank, null and unused votes, the totals add up to exactly what the ballots that were cast have.",
        _TOTALS,
    ),
    Check("R.10", "Every challenged ballot is opened once, and no other ballot is.", _OPENING),
    Check("R.11", "Every ballot of a device is chained to the one before.", _CHAIN),
    Check("R.12", "Every device has one bundle.", _CHAIN),
)
"""Checks of ours, numbered R.1 and up."""

CHECKS: Final[dict[str, Check]] = {check.number: check for check in (*SPECIFIED, *OURS)}
"""Every check by its number, in the order in which they are shown."""


def check_of(number: str) -> Check:
    """The check of a number; for one that is not listed, a sentence that says so."""
    return CHECKS.get(number) or Check(number, "A check of a later version.", _FORM)
