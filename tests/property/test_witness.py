"""Whatever is asked, in whatever order: what a witness cosigns are prefixes of one tree."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import given, settings

from log_helpers import ORIGIN
from scrutineer.log import MerkleTree, leaf_hash
from scrutineer.log.checkpoint import HeadLines
from scrutineer.log.merkle import EMPTY_ROOT
from scrutineer.log.note import Note, SignatureLine
from scrutineer.witness.answers import format_request
from scrutineer.witness.rules import Known, Refusal, Request, Submission, judge, parse_request
from scrutineer.witness.state import Remembered, WitnessState
from witness_helpers import Bench, History

SIZE = 20  # leaves of each tree
CHECKPOINT = History().checkpoint(3)
SIGNATURES = (SignatureLine(ORIGIN, bytes(4), bytes(64)),)


def tree(forked_at: int, name: bytes) -> MerkleTree:
    """A tree that leaves the common one at a leaf."""
    made = MerkleTree()
    made.extend([leaf_hash(b"common %d" % n if n < forked_at else name + b" %d" % n) for n in range(SIZE)])
    return made


def root(of: MerkleTree, size: int) -> bytes:
    return of.root(size) if size else EMPTY_ROOT


@st.composite
def asked(draw: st.DrawFn, trees: list[MerkleTree]) -> tuple[int | None, int, bytes, tuple[bytes, ...] | None]:
    """Old size (None: what the witness knows), size, root, and the proof (None: the honest one of that tree)."""
    of = draw(st.sampled_from(trees))
    size = draw(st.integers(0, SIZE))
    old = draw(st.none() | st.integers(0, SIZE))
    other = draw(st.sampled_from(trees))
    proof: tuple[bytes, ...] | None = None
    match draw(st.integers(0, 3)):
        case 1:
            first = draw(st.integers(1, SIZE))
            proof = other.consistency(first, draw(st.integers(first, SIZE)))
        case 2:
            nodes = [*(other.root(n) for n in range(1, SIZE + 1)), *(leaf_hash(b"common %d" % n) for n in range(SIZE))]
            proof = tuple(draw(st.lists(st.sampled_from(nodes), max_size=6)))
    return old, size, root(draw(st.sampled_from([of, of, of, other])), size), proof


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_only_prefixes_of_one_tree_are_accepted(data: st.DataObject) -> None:
    trees = [tree(data.draw(st.integers(0, SIZE)), name) for name in (b"heron", b"stork", b"crane")]
    latest: Known | None = None
    accepted: list[Known] = []
    memory: dict[int, Known] = {}
    for _ in range(data.draw(st.integers(1, 25))):
        old, size, claimed, proof = data.draw(asked(trees))
        known = latest.size if latest else 0
        first = known if old is None else old
        if proof is None:
            proof = data.draw(st.sampled_from(trees)).consistency(first, size) if 0 < first < size else ()
        head = HeadLines(ORIGIN, size, claimed)
        request = Request(first, proof, Note(b"heron\n", SIGNATURES), head)
        refusal = judge(Submission(request, SIGNATURES, False), latest, memory.get(size))
        if refusal is None:
            latest = memory[size] = Known(size, claimed)
            accepted.append(latest)
        elif size in memory and memory[size].root != claimed:
            assert refusal.finding == "fork"
    for earlier, later in itertools.pairwise(accepted):
        assert earlier.size <= later.size
        if earlier.size == later.size:
            assert earlier.root == later.root
    if not accepted:
        return
    # Whatever was claimed on the way: one drawn tree has every accepted root at its size.
    assert any(all(root(candidate, known.size) == known.root for known in accepted) for candidate in trees)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 31), st.integers(0, 31)), max_size=12), st.integers(0, 31))
@settings(max_examples=25, deadline=None)
def test_a_whole_witness_on_a_disk_signs_one_history(asks: list[tuple[bool, int, int]], forked_at: int) -> None:
    names = [b"common %d" % n for n in range(forked_at)]
    histories = [History([*names, *(b"%b %d" % (name, n) for n in range(forked_at, 32))]) for name in (b"heron", b"stork")]
    signed: dict[int, set[bytes]] = {}
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "witness")
        for second, one, two in asks:
            history, old, size = histories[second], min(one, two), max(one, two)
            latest = bench.state.latest(ORIGIN)
            if latest is not None and latest.size <= size:
                old = latest.size
            if bench.ask(history.request(old if latest else 0, size)).status == 200:
                signed.setdefault(size, set()).add(history.root(size))
            bench.restart()
        bench.close()
    assert all(len(roots) == 1 for roots in signed.values())
    assert any(all(history.root(size) in roots for size, roots in signed.items()) for history in histories)


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_answered(body: bytes) -> None:
    assert isinstance(parse_request(body), Refusal)
    for mixed in (body + b"\n\n" + CHECKPOINT, b"old 0\n" + body + b"\n" + CHECKPOINT, b"old 0\n\n" + CHECKPOINT + body):
        assert isinstance(parse_request(mixed), Refusal | Request)


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_what_is_written_is_read(old: int, proof: list[bytes]) -> None:
    request = parse_request(format_request(old, tuple(proof), CHECKPOINT))
    assert isinstance(request, Request)
    assert (request.old_size, list(request.proof), request.head.size) == (old, proof, 3)


@given(st.lists(st.integers(0, 2**63 - 1), unique=True, min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_memory_holds_only_growing_sizes(sizes: list[int]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"
        WitnessState.create(path, "witness.example/crane")
        state = WitnessState.open(path)
        for size in sorted(sizes):
            latest = state.latest(ORIGIN)
            state.advance(ORIGIN, latest.known if latest else None, Remembered(size, bytes(32), b""))
        latest = state.latest(ORIGIN)
        assert latest is not None
        assert latest.size == max(sizes)
        assert state.count == len(sizes)
        state.close()
