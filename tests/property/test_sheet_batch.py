"""Reading many sheets at once: never a sheet that the policy would refuse, and never another figure than the policy reads."""

from collections.abc import Callable, Sequence
from functools import cache

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_helpers import TIME, Republic, republic, station_key
from scrutineer.count import Count
from scrutineer.errors import ScrutineerError, SignatureError
from scrutineer.statements import SigningKey, StationOpened, TallySheet
from scrutineer.statements.envelope import assemble, protected_header, signed_bytes
from scrutineer.statements.keys import verify_signed
from scrutineer.statements.policy import Policy
from scrutineer.statements.sheet_batch import BatchReader, SignedBatch
from scrutineer.statements.tally_sheet import MAX_COUNT, encode_payload

EDGES = (0, 1, 23, 24, 255, 256, 4095, 65535, 65536, MAX_COUNT)
counts = st.sampled_from(EDGES) | st.integers(0, 700)
maybe = st.none() | counts
digests = st.none() | st.just(bytes(range(32)))
times = st.none() | st.sampled_from([0, 23, 24, TIME, 2**32 - 1, 2**32, 2**40 - 1])


@cache
def land() -> Republic:
    return republic(12)


@cache
def tools() -> tuple[Policy, BatchReader]:
    return Policy(land().election), BatchReader(land().election)


def unknown(value: int | None) -> int:
    return -1 if value is None else value


def read_together(entries: Sequence[bytes]) -> list[bool]:
    """Read entries both ways; which of them were plain. Fails where the two ways disagree."""
    policy, reader = tools()
    batch = reader.read_signed(entries)
    hold_against_policy(policy, entries, batch)
    rows = batch.sheets.rows.tolist()
    assert rows == sorted(set(rows))
    return [row in rows for row in range(len(entries))]


def hold_against_policy(policy: Policy, entries: Sequence[bytes], batch: SignedBatch) -> None:
    for place, row in enumerate(batch.sheets.rows.tolist()):
        reading = policy.read_sheet(entries[row])  # raises where the policy refuses what was taken for plain
        sheet = reading.sheet
        width = len(sheet.counts)
        assert (batch.sheets.station[place], batch.sheets.contest[place]) == (reading.station, reading.contest)
        assert batch.sheets.counts[place, :width].tolist() == list(sheet.counts)
        assert (batch.sheets.counts[place, width:] == -1).all()
        stated = (sheet.blank, sheet.null, sheet.cast, sheet.voters, sheet.roll)
        assert batch.sheets.figures[place].tolist() == [unknown(figure) for figure in stated]
        assert batch.sheets.time[place] == unknown(sheet.time)
        assert batch.keys[place] == reading.public_key
        assert batch.signed[place] == reading.signature + reading.signed


@st.composite
def sheets(draw: st.DrawFn) -> bytes:
    """A sheet of the republic, sound or not, plain or not, signed by its station."""
    station = draw(st.sampled_from([*land().stations, "n77", "x" * 64]))
    contest = draw(st.sampled_from(["president", "north", "speaker", "mayor"]))
    options = draw(st.sampled_from([3, 3, 3, 0, 2, 4]))
    sheet = TallySheet(
        draw(st.sampled_from([land().election.hash] * 9 + [bytes(32)])),
        station,
        contest,
        tuple(
            draw(
                st.lists(
                    counts | st.integers(0, 9) | (maybe if draw(st.booleans()) else counts), min_size=options, max_size=options
                )
            )
        ),
        *(draw(maybe) for _ in range(5)),
        draw(times),
        draw(digests),
        draw(digests),
        (((0, 1), 5),) if contest == "speaker" else None,
        draw(st.sampled_from([None, None, "row 7"])),
    )
    key = station_key(station if draw(st.integers(0, 9)) else "n2")
    return land().sign(sheet, f"station/{station}", key)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The same, changed at a few places, cut or lengthened."""
    data = bytearray(draw(sheets()))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["set", "insert", "delete", "cut", "lengthen"])):
            case "set":
                data[place] = draw(st.integers(0, 255))
            case "insert":
                data.insert(place, draw(st.integers(0, 255)))
            case "delete":
                del data[place]
            case "cut":
                del data[max(1, place) :]
            case _:
                data += bytes(draw(st.integers(1, 3)))
    return bytes(data)


@settings(deadline=None)
@given(st.lists(sheets() | mutated() | st.binary(max_size=300), max_size=12))
def test_agrees_with_the_policy_on_anything(entries: list[bytes]) -> None:
    read_together(entries)


def test_every_plain_sheet_is_read() -> None:
    entries = [
        land().sheet(station, contest, image=image, time=time, voters=voters, counts=(count, MAX_COUNT, 7))
        for station in ("n1", "n6")
        for contest in ("president", "north")
        for image in (None, bytes(32))
        for time in (None, TIME)
        for voters in (None, 268)
        for count in EDGES
    ]
    assert all(read_together(entries))


@pytest.mark.parametrize("contest", ["president", "north"])
def test_no_changed_byte_is_plain_unless_the_policy_reads_it_alike(contest: str) -> None:
    data = land().sheet("n3", contest, counts=(23, 255, 70_000), image=bytes(32))
    changed = []
    for place in range(len(data)):
        for value in {data[place] ^ bit for bit in (1, 2, 4, 8, 16, 32, 64, 128)} | {0, 0x18, 0x19, 0x1A, 0x1B, 0xF6, 0xFF}:
            if value != data[place]:
                changed.append(data[:place] + bytes((value,)) + data[place + 1 :])
    plain = read_together([*changed, data])
    assert plain[-1]
    # What is left are other figures, for which the signature does not hold.
    policy, reader = tools()
    batch = reader.read_signed(changed)
    assert 0 < len(batch.keys) < len(changed) // 2
    for row in batch.sheets.rows.tolist():
        with pytest.raises(SignatureError):
            policy.check(changed[row])
    for key, signed in zip(batch.keys, batch.signed, strict=True):
        with pytest.raises(SignatureError):
            verify_signed(key, signed)


def sealed(payload: bytes, station: str = "n1", contest: str = "president", protected: bytes | None = None) -> bytes:
    """A statement whose signature holds, around any payload and header."""
    key = station_key(station)
    header = protected or protected_header("tally-sheet", f"station/{station}", f"{station}/{contest}", key.kid)
    return assemble(header, payload, key.sign(signed_bytes(header, payload)))


def as_map(**changes: object) -> dict[int, object]:
    sheet = land().sheet_of(**changes)  # type: ignore[arg-type]
    return {key: list(value) if key == 4 else value for key, value in enumerate(sheet, 1) if value is not None}  # type: ignore[arg-type]


def wide(number: int, size: int) -> bytes:
    """A CBOR number in a form that is longer than it need be."""
    return {1: b"\x18", 2: b"\x19", 4: b"\x1a", 8: b"\x1b"}[size] + number.to_bytes(size, "big")


def irregular() -> dict[str, bytes]:
    """Sheets with signatures that hold, none of them plain."""
    whole = encode_payload(land().sheet_of())
    counted = b"\x04\x83\x18\x8f\x14\x18\x61"
    assert counted in whole
    figure = whole.index(b"\x05\x04\x06\x03")
    cases = {
        f"count {number} in {size} bytes": whole.replace(counted, b"\x04\x83" + wide(number, size) + b"\x14\x18\x61")
        for number, size in ((3, 1), (143, 2), (143, 4), (143, 8), (65535, 4), (2**31, 4), (2**32 - 1, 4), (2**63, 8))
    }
    cases |= {
        f"blank {number} in {size} bytes": whole[:figure] + b"\x05" + wide(number, size) + whole[figure + 2 :]
        for number, size in ((4, 1), (24, 2), (300, 4), (2**31, 4), (2**32 - 1, 4), (4, 8))
    }
    cases |= {
        "null count": cbor2.dumps(as_map(counts=(1, None, 3))),
        "negative count": cbor2.dumps(as_map(counts=(1, -2, 3))),
        "two counts": cbor2.dumps(as_map(counts=(1, 2))),
        "four counts": cbor2.dumps(as_map(counts=(1, 2, 3, 4))),
        "indefinite counts": whole.replace(counted, b"\x04\x9f" + counted[2:] + b"\xff"),
        "long array head": whole.replace(counted, b"\x04\x98\x03" + counted[2:]),
        "figures swapped": whole.replace(b"\x05\x04\x06\x03", b"\x06\x03\x05\x04"),
        "figure twice": bytes((whole[0] + 1,)) + whole[1:].replace(b"\x05\x04", b"\x05\x04\x05\x04"),
        "one entry too many said": bytes((whole[0] + 1,)) + whole[1:],
        "one entry too few said": bytes((whole[0] - 1,)) + whole[1:],
        "long map head": b"\xb8" + bytes((whole[0] - 0xA0,)) + whole[1:],
        "byte behind": whole + b"\0",
        "byte missing": whole[:-1],
        "end of a sheet within": whole + b"\x58\x40" + bytes(64),
        "source": encode_payload(land().sheet_of(source="row 7")),
        "unknown key": cbor2.dumps({**as_map(), 15: 1}),
        "short image": cbor2.dumps({**as_map(), 11: bytes(31)}),
        "image as text": cbor2.dumps({**as_map(), 11: "x" * 32}),
        "late time": encode_payload(land().sheet_of(time=2**32)),
        "other election": encode_payload(land().sheet_of(election=bytes(32))),
        "other station": encode_payload(land().sheet_of("n2")),
        "other contest": encode_payload(land().sheet_of("n1", "north")),
        "long id head": whole.replace(b"\x02\x62n1", b"\x02\x78\x02n1"),
        "id as bytes": whole.replace(b"\x02\x62n1", b"\x02\x42n1"),
    }
    made = {name: sealed(payload) for name, payload in cases.items()}
    long_id = "n" + "1" * 70
    other = SigningKey(b"z" * 32)
    header = protected_header("tally-sheet", "station/n1", "n1/president", other.kid)
    made |= {
        "overlong id": sealed(
            whole.replace(b"\x62n1", b"\x78\x47" + long_id.encode()),
            "n1",
            protected=protected_header("tally-sheet", f"station/{long_id}", f"{long_id}/president", station_key("n1").kid),
        ),
        "not its contest": land().sheet("s1", "north"),
        "ranked": land().sheet("n1", "speaker", counts=(), rankings=(((0, 1), 100),)),
        "stranger's key": assemble(header, whole, other.sign(signed_bytes(header, whole))),
        "other kind": sealed(
            whole, protected=protected_header("tally-sheex", "station/n1", "n1/president", station_key("n1").kid)
        ),
        "opening": land().sign(
            StationOpened(election=land().election.hash, station="n1", time=TIME), "station/n1", station_key("n1")
        ),
        "empty": b"",
    }
    return made


@pytest.mark.parametrize("name", irregular())
def test_what_is_not_plain_is_left_to_the_policy(name: str) -> None:
    data = irregular()[name]
    assert read_together([land().sheet("n2"), data, land().sheet("n3", "north")]) == [True, False, True]


def test_reads_nothing_from_nothing() -> None:
    assert read_together([]) == []


def test_numbers_reach_into_no_neighbour() -> None:
    data = land().sheet("n1")
    for end in range(0, len(data), 7):
        assert read_together([data, data[:end], data]) == [True, False, True]


def columns(count: Count) -> list[object]:
    found: list[object] = []
    for state in count.contests:
        arrays = (state.status, state.sheet, state.hashes, state.figures, state.time, state.flags)
        found += [array.tolist() for array in arrays]
        found.append(
            {station: [(r.index, r.hash, r.flags, r.records) for r in records] for station, records in state.several.items()}
        )
    return found


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_counting_together_and_one_by_one_is_the_same(data: st.DataObject) -> None:
    policy, reader = tools()
    entries = []
    for entry in data.draw(st.lists(sheets(), min_size=64, max_size=90)):
        try:
            policy.read_sheet(entry)
        except ScrutineerError:
            continue
        entries.append(entry)
    singly, together, handed = (Count(land().election) for _ in range(3))
    for entry in entries:
        singly.apply([entry])
    # Enough of them that `Count` reads them together.
    filled = entries * (1 + 64 // max(1, len(entries)))
    for entry in filled[len(entries) :]:
        singly.apply([entry])
    together.apply(filled)
    assert columns(together) == columns(singly)
    batch = reader.read(filled)
    others = [(row, policy.read_sheet(filled[row])) for row in range(len(filled)) if row not in set(batch.rows.tolist())]
    hashes: Callable[[bytes], bytes] = lambda entry: policy.admit(entry).hash  # noqa: E731
    handed.apply_sheets(np.frombuffer(b"".join(map(hashes, filled)), np.uint8).reshape(-1, 32), batch, others)
    assert columns(handed) == columns(singly)
