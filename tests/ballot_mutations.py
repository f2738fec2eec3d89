"""Ballots with one thing changed, for checks that have to find it."""

import random
from collections.abc import Callable

from gmpy2 import mpz
from msgspec.structs import replace

from ballot_equations import rehashed
from scrutineer.ballots.group import Group
from scrutineer.ballots.record import Ballot, BallotContest, Sealed, Selection


def other_element(group: Group, data: bytes, kind: str, choice: random.Random) -> bytes:
    """A hostile value in place of an element."""
    value = mpz(int.from_bytes(data, "big"))
    changed = {
        "zero": mpz(0),
        "one": mpz(1),
        "p": group.p,
        "minus one": group.p - 1,
        "sign": (group.p - value) % group.p,
        "largest": (mpz(1) << (8 * group.element_size)) - 1,
        "other member": group.power(group.g, mpz(choice.getrandbits(200))),
        "outside": value * group.power(mpz(choice.getrandbits(400) | 3), 2 * group.q) % group.p,
        "random": mpz(choice.getrandbits(8 * group.element_size - 1)),
    }[kind]
    return group.element_bytes(changed)


ELEMENT_KINDS = ("zero", "one", "p", "minus one", "sign", "largest", "other member", "outside", "random")


def other_proof(group: Group, proof: bytes, choice: random.Random) -> bytes:
    """A proof with one scalar changed, raised by q where that fits, or two scalars swapped."""
    scalars = [int.from_bytes(proof[start : start + 32], "big") for start in range(0, len(proof), 32)]
    place, kind = choice.randrange(len(scalars)), choice.choice(("add", "q", "zero", "largest", "swap", "halves"))
    if kind == "add":
        scalars[place] = (scalars[place] + 1 + choice.getrandbits(16)) % int(group.q)
    elif kind == "q":
        scalars[place] = int(group.q) + choice.randrange(189)
    elif kind == "zero":
        scalars[place] = 0
    elif kind == "largest":
        scalars[place] = 2**256 - 1
    elif kind == "swap":
        other = (place + 1) % len(scalars)
        scalars[place], scalars[other] = scalars[other], scalars[place]
    else:
        # The branches of a proof in another order have the same sum of challenges.
        half = len(scalars) // 2
        scalars = scalars[1:half] + scalars[:1] + scalars[half + 1 :] + scalars[half : half + 1]
    return b"".join(scalar.to_bytes(32, "big") for scalar in scalars)


def flipped(data: bytes, choice: random.Random) -> bytes:
    """Bytes with one bit changed."""
    place = choice.randrange(len(data))
    return data[:place] + bytes((data[place] ^ 1 << choice.randrange(8),)) + data[place + 1 :]


def mutated(group: Group, ballot: Ballot, seed: int) -> tuple[str, Ballot]:
    """A ballot of the right form with one thing changed, sometimes with hashes that follow the change; and what it was."""
    choice = random.Random(seed)
    name = choice.choice(("element", "element", "proof", "limit proof", "swap", "seal", "data", "hash", "code", "chain", "id"))
    changed = _changed(group, ballot, name, choice)
    if choice.random() < 0.5 and name not in ("hash", "code"):
        return f"{name}, rehashed", rehashed(changed)
    return name, changed


def _changed(group: Group, ballot: Ballot, name: str, choice: random.Random) -> Ballot:
    if name == "code":
        return replace(ballot, code=flipped(ballot.code, choice))
    if name == "chain":
        return replace(ballot, chain=flipped(ballot.chain, choice))
    if name == "id":
        field = choice.choice(("identifier", "identifier_hash"))
        return replace(ballot, **{field: flipped(getattr(ballot, field), choice)})
    if name == "seal":
        return replace(ballot, nonce=_other_seal(group, ballot.nonce, choice))
    if name == "data":
        with_data = [place for place, contest in enumerate(ballot.contests) if contest.data is not None]
        if not with_data:
            return replace(ballot, nonce=_other_seal(group, ballot.nonce, choice))
        place = choice.choice(with_data)
        return _with_contest(ballot, place, lambda contest: replace(contest, data=_other_seal(group, contest.data, choice)))
    place = choice.randrange(len(ballot.contests))
    if name == "hash":
        return _with_contest(ballot, place, lambda contest: replace(contest, hash=flipped(contest.hash, choice)))
    if name == "limit proof":
        return _with_contest(ballot, place, lambda contest: replace(contest, proof=other_proof(group, contest.proof, choice)))
    field = choice.randrange(len(ballot.contests[place].selections))
    if name == "swap":
        part = choice.choice(("alpha", "beta", "proof"))
        selections = ballot.contests[place].selections
        if len(selections[field].proof) != len(selections[(field + 1) % len(selections)].proof):
            part = "alpha"
        return swapped(ballot, place, part, field)
    return _with_contest(
        ballot,
        place,
        lambda contest: with_selection(contest, field, _other_selection(group, contest.selections[field], name, choice)),
    )


def swapped(ballot: Ballot, place: int, part: str, field: int) -> Ballot:
    """One part of two neighbouring fields of a contest exchanged."""
    contest = ballot.contests[place]
    other = (field + 1) % len(contest.selections)
    first, second = contest.selections[field], contest.selections[other]
    changed = with_selection(contest, field, replace(first, **{part: getattr(second, part)}))
    changed = with_selection(changed, other, replace(second, **{part: getattr(first, part)}))
    return _with_contest(ballot, place, lambda _: changed)


def with_selection(contest: BallotContest, field: int, selection: Selection) -> BallotContest:
    """A contest with one field replaced."""
    return replace(contest, selections=(*contest.selections[:field], selection, *contest.selections[field + 1 :]))


def _with_contest(ballot: Ballot, place: int, change: Callable[[BallotContest], BallotContest]) -> Ballot:
    contests = ballot.contests
    return replace(ballot, contests=(*contests[:place], change(contests[place]), *contests[place + 1 :]))


def _other_selection(group: Group, selection: Selection, name: str, choice: random.Random) -> Selection:
    if name == "proof":
        return replace(selection, proof=other_proof(group, selection.proof, choice))
    part = choice.choice(("alpha", "beta"))
    return replace(selection, **{part: other_element(group, getattr(selection, part), choice.choice(ELEMENT_KINDS), choice)})


def _other_seal(group: Group, sealed: Sealed | None, choice: random.Random) -> Sealed:
    assert sealed is not None
    part = choice.choice(("point", "data", "proof"))
    if part == "point":
        return replace(sealed, point=other_element(group, sealed.point, choice.choice(ELEMENT_KINDS), choice))
    if part == "data":
        return replace(sealed, data=flipped(sealed.data, choice))
    return replace(sealed, proof=other_proof(group, sealed.proof, choice))
