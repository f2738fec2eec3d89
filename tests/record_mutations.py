"""Records of encrypted ballots with one thing wrong, by the number of the check that has to find it.

`mutations(record)` yields (name, record); the name begins with that number, such as `6.A bundle 1 ballot 2 ...`. Where a bundle
was changed, its tally record is bound to the changed bundle again, so that it is not the hash alone that shows the change. Both
verifiers are run on the same records; `python tests/record_mutations.py FOLDER` writes them into folders.
"""

import base64
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from ballot_helpers import SMALL, every_contest, seeded
from record_helpers import Record, canonical, decrypted, keys_of, make_bundle, make_record, sample_record
from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.confirmation import confirmation_code, contest_hash
from scrutineer.ballots.encrypt import ContestChoice, Encryptor
from scrutineer.ballots.record import Ballot

P, Q = int(SMALL.p), int(SMALL.q)
SIZE = SMALL.element_size
TOO_LARGE = 2**256 - 1
Change = Callable[[Any], Any]
Named = tuple[str, Record]


def mutations(record: Record) -> Iterator[Named]:
    """Every mutated record of one that `record_helpers.sample_record` made, or of one with the same parts."""
    yield from _keys(record)
    yield from _bundle_lines(record)
    yield from _headers(record)
    yield from _closings(record)
    yield from _ballots(record)
    yield from _pre_encrypted(record)
    yield from _tallies(record)
    yield from _openings(record)
    yield from _data(record)
    yield from _dishonest(record)
    yield from _foreign(record)


def expected(name: str) -> str:
    """The number of the check that has to find a mutation."""
    return name.split(" ", 1)[0]


def take(text: str) -> bytes:
    """Bytes of a value in JSON."""
    return base64.b64decode(text)


def put(data: bytes) -> str:
    """Bytes as they stand in JSON."""
    return base64.b64encode(data).decode()


def flipped(text: str) -> str:
    """Minus the element: a sign flip, which is no element of the group."""
    return put((P - int.from_bytes(take(text), "big")).to_bytes(SIZE, "big"))


def outside(text: str) -> str:
    """A number that is in no small subgroup."""
    return put(((int.from_bytes(take(text), "big") * 3 + 1) % P).to_bytes(SIZE, "big"))


def another(text: str) -> str:
    """Another element of the group."""
    return put((int.from_bytes(take(text), "big") * int(SMALL.g) % P).to_bytes(SIZE, "big"))


def bit(text: str, place: int = -1) -> str:
    """The same bytes with one bit changed."""
    data = bytearray(take(text))
    data[place] ^= 1
    return put(bytes(data))


def scalar(text: str, place: int, value: int | None = None) -> str:
    """The same proof with one of its numbers changed: by one, or to a value."""
    data = take(text)
    own = int.from_bytes(data[32 * place : 32 * place + 32], "big")
    new = (own + 1) % Q if value is None else value
    return put(data[: 32 * place] + new.to_bytes(32, "big") + data[32 * place + 32 :])


def first_response(text: str) -> int:
    """The place of v_0 in a range proof."""
    return len(take(text)) // 64


def _set(field: str, change: Change) -> Change:
    def apply(value: Any) -> None:
        value[field] = change(value[field])

    return apply


def _swap(first: Any, second: Any, field: str) -> None:
    first[field], second[field] = second[field], first[field]


def _keys(record: Record) -> Iterator[Named]:
    def changed(name: str, change: Change) -> Named:
        keys = msgspec.json.decode(record.keys)
        change(keys)
        return name, replace(record, keys=canonical(keys))

    yield changed("1.A keys of another version", _set("specification", lambda _: "2.0.0"))
    for check, field in (("1.B", "p"), ("1.C", "q"), ("1.D", "g"), ("1.E", "parameter_hash"), ("1.F", "base_hash")):
        for place in (0, -1):
            yield changed(f"{check} keys {field} bit {place}", _set(field, lambda old, n=place: bit(old, n)))
    yield changed("1.D keys generator inverted", _set("g", lambda _: put(pow(int(SMALL.g), -1, P).to_bytes(SIZE, "big"))))
    yield changed("R.1 keys p of another length", _set("p", lambda old: put(take(old)[1:])))
    for field in ("name", "date", "election"):
        yield changed(f"1.F keys manifest {field}", lambda keys, f=field: _set(f, lambda old: old + "1")(keys["manifest"]))
    yield changed("1.F keys options re-ordered", lambda keys: keys["manifest"]["contests"][0]["options"].reverse())
    yield changed("1.F keys limit raised", lambda keys: keys["manifest"]["contests"][0].update(selection_limit=2))
    for index, own in enumerate(msgspec.json.decode(record.keys)["guardians"]):

        def trustee(check: str, what: str, change: Change, i: int = index) -> Named:
            return changed(f"{check} keys trustee {i} {what}", lambda keys: change(keys["guardians"][i]))

        for kind in ("vote", "data"):
            for place in range(len(own[kind])):
                for check, what, new in (("2.A", "sign", flipped), ("2.A", "outside", outside), ("2.C", "another", another)):
                    yield trustee(
                        check,
                        f"{kind} {place} {what}",
                        lambda own, k=kind, n=place, c=new: own[k].__setitem__(n, c(own[k][n])),
                    )
            proof = f"{kind}_proof"
            for place in range(len(own[kind]) + 2):
                yield trustee("2.C", f"{proof} {place}", _set(proof, lambda old, n=place: scalar(old, n)))
            yield trustee("2.B", f"{proof} too large", _set(proof, lambda old: scalar(old, 1, TOO_LARGE)))
        yield trustee("2.A", "communication", _set("communication", flipped))
        yield trustee("2.C", "proofs swapped", lambda own: own.update(vote_proof=own["data_proof"], data_proof=own["vote_proof"]))
    for check, field in (("3.A", "vote_key"), ("3.B", "data_key")):
        for what, new in (("sign", flipped), ("another", another)):
            yield changed(f"{check} keys {field} {what}", _set(field, new))
    yield changed("4.A keys extended hash", _set("extended_hash", bit))
    yield changed("R.1 keys trustees re-ordered", lambda keys: keys["guardians"].reverse())
    yield changed("R.1 keys trustee dropped", lambda keys: keys["guardians"].pop(0))
    yield changed("1.E keys last trustee dropped", lambda keys: keys["guardians"].pop())
    yield changed("R.1 keys quorum", _set("quorum", lambda old: old + 1))
    yield changed("R.1 keys format", _set("format", lambda old: old + "1"))
    yield changed("R.1 keys unknown field", lambda keys: keys.update(note="x"))
    yield "R.1 keys with a space", replace(record, keys=record.keys.replace(b":", b": ", 1))
    yield "R.1 keys cut off", replace(record, keys=record.keys[:-1])
    yield "R.1 keys empty", replace(record, keys=b"")
    yield "R.1 keys not text", replace(record, keys=b"\xff" + record.keys)


def _bundle_lines(record: Record) -> Iterator[Named]:
    for place, bundle in enumerate(record.bundles):
        lines = bundle.splitlines(keepends=True)
        link, end = ("8.E", "8.G") if place == 0 else ("16.F", "16.H")

        def changed(check: str, what: str, parts: list[bytes] | bytes, place: int = place) -> Named:
            data = parts if isinstance(parts, bytes) else b"".join(parts)
            return f"{check} bundle {place + 1} {what}", record.with_bundle(place, data)

        for number in range(1, len(lines) - 1):
            last = number == len(lines) - 2
            yield changed(end if last else link, f"ballot {number} dropped", lines[:number] + lines[number + 1 :])
            yield changed("5.A", f"ballot {number} twice", lines[: number + 1] + lines[number:])
            if not last:
                moved = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
                yield changed(link, f"ballots {number} and next re-ordered", moved)
        yield changed("R.3", "without header", lines[1:])
        yield changed("R.3", "header twice", lines[:1] + lines)
        yield changed("R.3", "without closing", lines[:-1])
        yield changed("R.3", "closing twice", [*lines, lines[-1]])
        yield changed("R.3", "ballot behind closing", [*lines, lines[1]])
        yield changed("R.3", "empty", b"")
        yield changed("R.3", "closing only", lines[-1])
        yield changed("R.2", "cut off", bundle[:-1])
        yield changed("R.2", "cut in the middle", bundle[: len(bundle) // 2])
        yield changed("R.2", "line ends", bundle.replace(b"\n", b"\r\n"))
        yield changed("R.2", "blank line", bundle.replace(b"\n", b"\n\n", 1))
        yield changed("R.2", "byte order mark", b"\xef\xbb\xbf" + bundle)
        for what, bad in (("not text", b"\xff\xfe\x00\n"), ("deeply nested", b"[" * 100_000 + b"\n"), ("a number", b"7\n")):
            yield changed("R.2", what, [lines[0], bad, *lines[1:]])
        for number, line in enumerate(lines):
            for what, form in _other_forms(line):
                yield changed("R.2", f"line {number + 1} {what}", [*lines[:number], form, *lines[number + 1 :]])
        if place:
            yield changed("R.3", "ballot of another kind", [lines[0], record.bundles[0].splitlines(keepends=True)[1], *lines[1:]])


def _other_forms(line: bytes) -> Iterator[tuple[str, bytes]]:
    """The same line, or nearly so, in forms that are not its only one."""
    value = msgspec.json.decode(line)
    for what, form in (
        ("spaces", line.replace(b",", b", ", 1)),
        ("order of keys", msgspec.json.encode(dict(reversed(value.items()))) + b"\n"),
        ("escape", line.replace(b'"kind"', b'"\\u006bind"')),
        ("base64 bits", _loose(line)),
        ("base64 padding", line.replace(b'="', b'"', 1)),
        ("number", line.replace(b'"style":1', b'"style":1.0').replace(b'"cast":', b'"cast":0')),
        ("unknown field", msgspec.json.encode({**value, "zz": 1}, order="sorted") + b"\n"),
        (
            "missing field",
            msgspec.json.encode({key: own for key, own in value.items() if key != "chain"}, order="sorted") + b"\n",
        ),
    ):
        if form != line:
            yield what, form


def _loose(line: bytes) -> bytes:
    """Base64 whose unused bits are not zero: it decodes to the same bytes."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = line.index(b'="')
    place -= line[place - 1 : place] == b"="
    own = letters.index(line[place - 1 : place])
    return line[: place - 1] + letters[own + 1 : own + 2] + line[place:]


def _line(record: Record, place: int, number: int, change: Change, *, bind: bool = True) -> Record:
    """The record with one line of a bundle changed; number -1 is the closing."""
    lines = record.bundles[place].splitlines(keepends=True)
    value = msgspec.json.decode(lines[number])
    change(value)
    lines[number] = canonical(value) + b"\n"
    return record.with_bundle(place, b"".join(lines), bind=bind)


def _headers(record: Record) -> Iterator[Named]:
    for place, (device, unchained, start) in enumerate((("8.C", "8.D", "8.F"), ("16.D", "16.E", "16.G"))):
        for check, field, change in (
            ("R.4", "format", lambda old: old + "1"),
            ("R.4", "keys", bit),
            (device, "device", lambda old: old + "1"),
            (device, "device_hash", bit),
            (start, "chain", bit),
            (start, "chain", lambda old: bit(old, 0)),
            (unchained, "chain", lambda old: put(b"\0\0\0\0" + take(old)[4:])),
            ("R.11", "chain", lambda old: put(b"\0\0\0\0" + take(old)[4:])),
            (start, "opening", bit),
        ):
            yield f"{check} bundle {place + 1} header {field}", _line(record, place, 0, _set(field, change))
        other = _line(record, place, 0, _set("station", lambda old: old + "1"), bind=False)
        yield f"R.8 bundle {place + 1} header station", other


def _closings(record: Record) -> Iterator[Named]:
    for place, end in enumerate(("8.G", "16.H")):

        def changed(check: str, what: str, change: Change, place: int = place) -> Named:
            return f"{check} bundle {place + 1} closing {what}", _line(record, place, -1, change)

        for field in ("cast", "challenged", "spoiled", "provisional"):
            yield changed("R.7", field, _set(field, lambda old: old + 1))
        yield changed(end, "chain", _set("chain", bit))
        yield changed(end, "mode", _set("chain", lambda old: bit(old, 3)))
        yield changed(end, "closing", _set("closing", bit))
        for contest, total in enumerate(msgspec.json.decode(record.bundles[place].splitlines()[-1])["totals"]):
            for field in range(len(total["fields"])):
                for check, part in (("9.A", "alpha"), ("9.B", "beta")):
                    for what, new in (("sign", flipped), ("another", another)):
                        yield changed(
                            check,
                            f"contest {contest} field {field} {part} {what}",
                            lambda own, c=contest, f=field, p=part, n=new: _set(p, n)(own["totals"][c]["fields"][f]),
                        )
            yield changed("R.7", f"contest {contest} dropped", lambda own, c=contest: own["totals"].pop(c))
            yield changed("R.7", f"contest {contest} field dropped", lambda own, c=contest: own["totals"][c]["fields"].pop())
        yield changed("R.7", "contests re-ordered", lambda own: own["totals"].reverse())
        yield changed("R.7", "unknown contest", lambda own: own["totals"].append({**own["totals"][0], "contest": 99}))


def _ballots(record: Record) -> Iterator[Named]:
    lines = record.bundles[0].splitlines()
    for number in range(1, len(lines) - 1):
        ballot = msgspec.json.decode(lines[number])

        def changed(check: str, what: str, change: Change, n: int = number) -> Named:
            return f"{check} bundle 1 ballot {n} {what}", _line(record, 0, n, change)

        yield changed("5.B", "identifier", _set("identifier", bit))
        yield changed("5.B", "identifier hash", _set("identifier_hash", bit))
        yield changed("R.5", "style", _set("style", lambda old: 3 - old))
        yield changed("R.5", "unknown style", _set("style", lambda _: 99))
        yield changed("8.E", "chain", _set("chain", bit))
        yield changed("8.E", "chain mode", _set("chain", lambda old: bit(old, 3)))
        yield changed("8.B", "code", _set("code", bit))
        yield changed("R.5", "contests re-ordered", lambda own: own["contests"].reverse())
        yield changed("R.5", "contest dropped", lambda own: own["contests"].pop())
        yield changed("R.5", "contest twice", lambda own: own["contests"].append(own["contests"][-1]))
        yield changed("R.5", "unknown contest", lambda own: own["contests"][-1].update(contest=99))
        for what, field, new in (
            ("point sign", "point", flipped),
            ("point another", "point", another),
            ("data", "data", bit),
            ("challenge", "proof", lambda old: scalar(old, 0)),
            ("response", "proof", lambda old: scalar(old, 1)),
            ("response too large", "proof", lambda old: scalar(old, 1, TOO_LARGE)),
        ):
            yield changed("R.6", f"nonce {what}", lambda own, f=field, c=new: _set(f, c)(own["nonce"]))
        for status in {"cast", "challenged", "spoiled", "provisional"} - {ballot["status"]}:
            yield changed("R.7", f"from {ballot['status']} to {status}", _set("status", lambda _, s=status: s))
        if ballot["status"] != "cast":
            yield changed("9.A", f"from {ballot['status']} to cast", _set("status", lambda _: "cast"))
            yield changed("9.B", f"from {ballot['status']} to cast", _set("status", lambda _: "cast"))
        for contest, own in enumerate(ballot["contests"]):
            for check, what, change in _contest(own):
                yield changed(check, f"contest {contest} {what}", lambda own, n=contest, c=change: c(own["contests"][n]))


def _contest(own: Any) -> Iterator[tuple[str, str, Change]]:
    yield "8.A", "hash", _set("hash", bit)
    yield "7.D", "proof", _set("proof", lambda old: scalar(old, 0))
    yield "7.D", "proof response", _set("proof", lambda old: scalar(old, first_response(old)))
    yield "7.B", "proof challenge too large", _set("proof", lambda old: scalar(old, 1, TOO_LARGE))
    yield "7.C", "proof response too large", _set("proof", lambda old: scalar(old, first_response(old), TOO_LARGE))
    yield "R.5", "proof cut", _set("proof", lambda old: put(take(old)[:-32]))
    yield "R.5", "field dropped", lambda own: own["selections"].pop()
    yield "8.A", "fields exchanged", lambda own: own["selections"].insert(0, own["selections"].pop(1))
    yield "6.D", "proofs swapped", lambda own: _swap(*own["selections"][:2], "proof")
    if "data" in own:
        for field in ("point", "data", "proof"):
            yield "8.A", f"data {field}", lambda own, f=field: _set(f, bit)(own["data"])
        yield "R.6", "data point", lambda own: _set("point", flipped)(own["data"])
        yield "R.6", "data proof", lambda own: _set("proof", lambda old: scalar(old, 1))(own["data"])
        yield "R.5", "data dropped", lambda own: own.pop("data")
    for field in range(len(own["selections"])):
        for check, part, what, new in (
            ("6.A", "alpha", "sign", flipped),
            ("6.A", "beta", "sign", flipped),
            ("7.A", "alpha", "outside", outside),
            ("6.A", "beta", "outside", outside),
            ("6.A", "alpha", "zero", lambda old: put(bytes(len(take(old))))),
            ("6.A", "beta", "above p", lambda old: put(b"\xff" * SIZE)),
            ("6.D", "beta", "another", another),
            ("6.D", "proof", "challenge", lambda old: scalar(old, 0)),
            ("6.D", "proof", "response", lambda old: scalar(old, first_response(old))),
            ("6.B", "proof", "challenge too large", lambda old: scalar(old, 0, TOO_LARGE)),
            ("6.C", "proof", "response too large", lambda old: scalar(old, first_response(old), TOO_LARGE)),
        ):
            if part == "proof" or field % 2 == 0:
                yield check, f"field {field} {part} {what}", lambda own, f=field, p=part, c=new: _set(p, c)(own["selections"][f])


def _pre_encrypted(record: Record) -> Iterator[Named]:
    if len(record.bundles) < 2:
        return
    lines = record.bundles[1].splitlines()
    for number in range(1, len(lines) - 1):
        ballot = msgspec.json.decode(lines[number])
        cast = ballot["status"] == "cast"

        def changed(check: str, what: str, change: Change, n: int = number) -> Named:
            return f"{check} bundle 2 ballot {n} {what}", _line(record, 1, n, change)

        yield changed("5.B", "identifier", _set("identifier", bit))
        yield changed("5.B", "identifier hash", _set("identifier_hash", bit))
        yield changed("16.F", "chain", _set("chain", bit))
        yield changed("16.C", "code", _set("code", bit))
        yield changed("R.6", "nonce", lambda own: _set("data", bit)(own["nonce"]))
        yield changed("R.5", "style", _set("style", lambda _: 99))
        yield changed("R.7", "status", _set("status", lambda _, new="uncast" if cast else "cast": new))
        yield changed("R.5", "status", _set("status", lambda _, new="uncast" if cast else "cast": new))
        yield changed("R.5" if cast else "19.B", "contest dropped", lambda own: own["contests"].pop())
        if not cast:
            yield changed("18.A", "code", _set("code", bit))
        for contest, own in enumerate(ballot["contests"]):
            for check, what, change in _cast_contest(own) if cast else _uncast_contest(own):
                yield changed(check, f"contest {contest} {what}", lambda own, n=contest, c=change: c(own["contests"][n]))


def _hashes(own: Any) -> Iterator[tuple[str, str, Change]]:
    del own
    yield "16.B", "hash", _set("hash", bit)
    yield "16.B", "hashes", _set("hashes", lambda old: [*old[:-1], bit(old[-1])])
    yield "16.B", "hash dropped", lambda own: own["hashes"].pop()
    yield "16.B", "hashes re-ordered", lambda own: own["hashes"].reverse()


def _wrong_code(old: str) -> str:
    return "FFFF" if old != "FFFF" else "0000"


def _cast_contest(own: Any) -> Iterator[tuple[str, str, Change]]:
    yield from _hashes(own)
    yield "17.A", "short code", lambda own: _set("code", _wrong_code)(own["chosen"][0])
    yield "16.A", "selection hash", lambda own: _set("hash", bit)(own["chosen"][0])
    for check, what, field, new in (
        ("16.A", "of another", "alpha", another),
        ("6.A", "sign", "alpha", flipped),
        ("6.D", "proof", "proof", lambda old: scalar(old, 0)),
        ("6.C", "response too large", "proof", lambda old: scalar(old, 2, TOO_LARGE)),
    ):
        yield check, f"vector {what}", lambda own, f=field, c=new: _set(f, c)(own["chosen"][0]["selections"][0])
    for check, what, field, new in (
        ("15.A", "of another", "beta", another),
        ("6.A", "sign", "alpha", flipped),
        ("6.D", "proof", "proof", lambda old: scalar(old, 1)),
        ("6.B", "challenge too large", "proof", lambda old: scalar(old, 0, TOO_LARGE)),
    ):
        yield check, f"product {what}", lambda own, f=field, c=new: _set(f, c)(own["selections"][0])
    yield "7.D", "limit proof", _set("proof", lambda old: scalar(old, 0))
    yield "7.B", "limit challenge too large", _set("proof", lambda old: scalar(old, 0, TOO_LARGE))
    yield "7.C", "limit response too large", _set("proof", lambda old: scalar(old, first_response(old), TOO_LARGE))
    yield "7.A", "product sign", lambda own: _set("alpha", flipped)(own["selections"][0])
    # A contest without any chosen vector has no such field, as every value has one form.
    yield "R.5", "vector dropped", lambda own: own["chosen"].pop() if len(own["chosen"]) > 1 else own.pop("chosen")
    if len(own["chosen"]) > 1:
        for check in ("R.5", "15.A"):
            yield check, "vector twice", lambda own: own["chosen"].__setitem__(0, own["chosen"][1])


def _uncast_contest(own: Any) -> Iterator[tuple[str, str, Change]]:
    yield from _hashes(own)
    for check in ("19.A", "19.B"):
        yield check, "label", _set("label", lambda old: old + "1")
    for check, what, field, new in (
        ("17.A", "short code", "code", _wrong_code),
        ("16.A", "selection hash", "hash", bit),
        ("18.A", "nonce", "nonces", lambda old: [scalar(old[0], 0), *old[1:]]),
        ("18.A", "nonce too large", "nonces", lambda old: [scalar(old[0], 0, TOO_LARGE), *old[1:]]),
        ("18.A", "nonce dropped", "nonces", lambda old: old[1:]),
        ("19.C", "label", "label", lambda old: old + "1"),
        ("19.D", "label", "label", lambda old: old + "1"),
    ):
        yield check, f"vector {what}", lambda own, f=field, c=new: _set(f, c)(own["opened"][0])
    yield "19.D", "vector dropped", lambda own: own["opened"].pop()
    yield "19.C", "vector twice", lambda own: own["opened"].append(own["opened"][-1])
    if own["opened"][0]["label"] != own["opened"][1]["label"]:
        yield "18.A", "labels swapped", lambda own: _swap(*own["opened"][:2], "label")


def _tally(record: Record, place: int, name: str, change: Change) -> Named:
    tally = msgspec.json.decode(record.tallies[place])
    change(tally)
    return name, _with_tally(record, place, canonical(tally))


def _with_tally(record: Record, place: int, tally: bytes) -> Record:
    return replace(record, tallies=(*record.tallies[:place], tally, *record.tallies[place + 1 :]))


def _tallies(record: Record) -> Iterator[Named]:
    for place, own in enumerate(record.tallies):

        def changed(check: str, what: str, change: Change, place: int = place) -> Named:
            return _tally(record, place, f"{check} tally {place + 1} {what}", change)

        yield changed("R.8", "format", _set("format", lambda old: old + "1"))
        yield changed("R.8", "keys", _set("keys", bit))
        yield changed("R.8", "bundle", _set("bundle", bit))
        yield changed("R.8", "contests re-ordered", lambda own: own["contests"].reverse())
        yield changed("R.8", "contest twice", lambda own: own["contests"].append(own["contests"][-1]))
        yield changed("11.A", "unknown contest", lambda own: own["contests"][0].update(label="kingfisher"))
        yield f"R.8 tally {place + 1} with a space", _with_tally(record, place, own.replace(b",", b", ", 1))
        yield f"R.8 tally {place + 1} cut off", _with_tally(record, place, own[:-1])
        yield f"R.8 tally {place + 1} not text", _with_tally(record, place, b"\xff" + own)
        for contest, totals in enumerate(msgspec.json.decode(own)["contests"]):
            yield changed("11.D", f"contest {contest} dropped", lambda own, c=contest: own["contests"].pop(c))
            for check, what, change in _totals(len(totals["fields"])):
                yield changed(check, f"contest {contest} {what}", lambda own, n=contest, c=change: c(own["contests"][n]))
    if len(record.tallies) > 1:
        yield "R.8 tallies exchanged", replace(record, tallies=(_rebound(record, 1, 0), _rebound(record, 0, 1)))


def _totals(fields: int) -> Iterator[tuple[str, str, Change]]:
    for check in ("11.B", "11.C"):
        yield check, "option", lambda own: own["fields"][0].update(label="kite")
    yield "11.C", "option dropped", lambda own: own["fields"].pop()
    yield "R.8", "options re-ordered", lambda own: own["fields"].reverse()
    yield "10.B", "labels swapped", lambda own: _swap(*own["fields"][:2], "label")
    yield "10.B", "proofs swapped", lambda own: _swap(*own["fields"][:2], "proof")
    for field in range(fields):
        for check, part, what, new in (
            ("10.C", "total", "one more", lambda old: old + 1),
            ("10.C", "value", "sign", flipped),
            ("10.B", "value", "another", another),
            ("10.B", "value", "zero", lambda old: put(bytes(len(take(old))))),
            ("10.B", "proof", "challenge", lambda old: scalar(old, 0)),
            ("10.B", "proof", "response", lambda old: scalar(old, 1)),
            ("10.A", "proof", "response too large", lambda old: scalar(old, 1, TOO_LARGE)),
        ):
            yield check, f"field {field} {part} {what}", lambda own, f=field, p=part, c=new: _set(p, c)(own["fields"][f])


def _rebound(record: Record, place: int, other: int) -> bytes:
    """The tally record of one bundle that names another one with a bit changed."""
    tally = msgspec.json.decode(record.tallies[place])
    tally["bundle"] = bit(msgspec.json.decode(record.tallies[other])["bundle"])
    return canonical(tally)


def _openings(record: Record) -> Iterator[Named]:
    for number, opened in enumerate(msgspec.json.decode(record.tallies[0])["challenged"]):

        def changed(check: str, what: str, change: Change, n: int = number) -> Named:
            return _tally(record, 0, f"{check} opening {n} {what}", lambda own: change(own["challenged"][n]))

        yield changed("R.10", "code", _set("code", bit))
        yield _tally(record, 0, f"R.10 opening {number} dropped", lambda own, n=number: own["challenged"].pop(n))
        yield _tally(
            record, 0, f"R.10 opening {number} twice", lambda own, n=number: own["challenged"].append(own["challenged"][n])
        )
        yield changed("R.10", "contest twice", lambda own: own["contests"].append(own["contests"][0]))
        for contest, inside in enumerate(opened["contests"]):
            yield changed("14.B", f"contest {contest} dropped", lambda own, c=contest: own["contests"].pop(c))
            for check, what, change in _opened_contest(inside):
                yield changed(check, f"contest {contest} {what}", lambda own, n=contest, c=change: c(own["contests"][n]))


def _opened_contest(own: Any) -> Iterator[tuple[str, str, Change]]:
    yield "14.A", "label", _set("label", lambda old: old + "1")
    yield "14.D", "option dropped", lambda own: own["fields"].pop()
    yield "14.C", "option", lambda own: own["fields"][0].update(label="kite")
    yield "14.F", "too many", lambda own: [field.update(value=3) for field in own["fields"]]
    yield "R.10", "option twice", lambda own: own["fields"].append(own["fields"][0])
    if "data" in own:
        yield "13.A", "data", _set("data", bit)
        yield "13.A", "data cut", _set("data", lambda old: put(take(old)[:-32]))
        yield "13.A", "data nonce", _set("data_nonce", bit)
        yield "13.A", "data nonce too large", _set("data_nonce", lambda old: scalar(old, 0, TOO_LARGE))
        yield "13.A", "data dropped", lambda own: (own.pop("data"), own.pop("data_nonce"))
    else:
        yield "13.A", "data added", lambda own: own.update(data=put(bytes(32)), data_nonce=put(bytes(32)))
    for field in range(len(own["fields"])):
        for check, what, part, new in (
            ("13.B", "value", "value", lambda old: 1 - old if old < 2 else old - 1),
            ("14.E", "value too large", "value", lambda old: old + 4),
            ("13.B", "nonce", "nonce", bit),
            ("13.B", "nonce too large", "nonce", lambda old: scalar(old, 0, TOO_LARGE)),
            ("13.B", "nonce cut", "nonce", lambda old: put(take(old)[1:])),
        ):
            yield check, f"field {field} {what}", lambda own, f=field, p=part, c=new: _set(p, c)(own["fields"][f])


def _data(record: Record) -> Iterator[Named]:
    for number in range(len(msgspec.json.decode(record.tallies[0])["data"])):
        for check, field, change in (
            ("R.8", "code", bit),
            ("12.C", "contest", lambda old: old - 1),
            ("12.C", "data", bit),
            ("12.C", "data", lambda old: put(take(old)[:-1])),
            ("12.B", "beta", another),
            ("12.B", "beta", flipped),
            ("12.C", "beta", another),
            ("12.B", "proof", lambda old: scalar(old, 0)),
            ("12.B", "proof", lambda old: scalar(old, 1)),
            ("12.A", "proof", lambda old: scalar(old, 1, TOO_LARGE)),
        ):
            yield _tally(
                record, 0, f"{check} data {number} {field}", lambda own, n=number, f=field, c=change: _set(f, c)(own["data"][n])
            )


def _dishonest(record: Record) -> Iterator[Named]:
    """Ballots of a machine that encrypts other values than it should, and proves everything that the specification asks for."""
    _, keys = keys_of(record)
    encryptor, writer = Encryptor(keys, 4, seeded("dishonest")), BundleWriter(keys, "0001", "0001 a")
    choices = {
        number: ContestChoice((0,) * len(contest.labels()), bytes(32 * contest.data_blocks))
        for number, contest in enumerate(keys.manifest.contests, 1)
    }
    bundle = writer.header() + writer.add(encryptor.encrypt(1, choices, writer.chain).ballot) + writer.close()
    yield "R.9 a ballot that holds nothing at all", replace(record, bundles=(bundle,), tallies=(decrypted(bundle),))
    yield from _repaired(record)


def _repaired(record: Record) -> Iterator[Named]:
    """The last cast ballot changed, and everything that is hashed or multiplied from it computed again."""
    _, keys = keys_of(record)
    ballots = [msgspec.json.decode(line, type=Ballot) for line in record.bundles[0].splitlines()[1:-1]]
    last = max(number for number, ballot in enumerate(ballots) if ballot.status == "cast")
    contest, renew = ballots[last].contests[0], msgspec.structs.replace
    first, second, *rest = contest.selections

    def minus(data: bytes) -> bytes:
        return (P - int.from_bytes(data, "big")).to_bytes(SIZE, "big")

    more = (int.from_bytes(first.beta, "big") * int(keys.vote_key) % P).to_bytes(SIZE, "big")
    minus_first, minus_second = renew(first, alpha=minus(first.alpha)), renew(second, alpha=minus(second.alpha))
    for check, what, selections in (
        ("6.A", "sign of one", (minus_first, second, *rest)),
        ("6.A", "signs of two", (minus_first, minus_second, *rest)),
        ("6.A", "sign of beta", (renew(first, beta=minus(first.beta)), second, *rest)),
        ("6.D", "one more", (renew(first, beta=more), second, *rest)),
        ("6.D", "options exchanged", (second, first, *rest)),
        ("6.D", "two options equal", (first, first, *rest)),
    ):
        writer = BundleWriter(keys, "0001", "0001 a")
        written = [writer.header()]
        for number, ballot in enumerate(ballots):
            contests = ballot.contests
            if number == last:
                chi = contest_hash(ballot.identifier_hash, contest.contest, selections, contest.data)
                contests = (renew(contest, selections=selections, hash=chi), *contests[1:])
            code = confirmation_code(ballot.identifier_hash, [part.hash for part in contests], writer.chain)
            written.append(writer.add(renew(ballot, contests=contests, chain=writer.chain, code=code)))
        written.append(writer.close())
        yield f"{check} bundle 1 repaired {what}", record.with_bundle(0, b"".join(written))


def _foreign(record: Record) -> Iterator[Named]:
    other = make_record(
        msgspec.structs.replace(every_contest(), trimming=2, name="Another aviary"), statuses=("cast", "challenged")
    )
    for place in range(len(record.bundles)):
        yield f"R.4 foreign bundle {place + 1}", record.with_bundle(place, other.bundles[place])
        yield f"R.8 foreign tally {place + 1}", _with_tally(record, place, other.tallies[place])
    yield "R.4 foreign keys", replace(record, keys=other.keys)
    lines, foreign = record.bundles[0].splitlines(keepends=True), other.bundles[0].splitlines(keepends=True)
    yield "5.B foreign ballot", record.with_bundle(0, b"".join([*lines[:1], foreign[1], *lines[1:]]))
    _, keys = keys_of(record)
    again = make_bundle(keys, ("cast",), seed="again")[0]
    for check, what, bundle in (
        ("5.A", "a bundle twice", record.bundles[0]),
        ("R.12", "a bundle twice", record.bundles[0]),
        ("R.12", "two bundles of one device", again),
    ):
        yield f"{check} {what}", replace(record, bundles=(*record.bundles, bundle), tallies=(*record.tallies, b""))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    sample_record().write(target / "0000 good")
    for count, (mutation, mutated) in enumerate(mutations(sample_record()), 1):
        mutated.write(target / f"{count:04} {mutation}")
