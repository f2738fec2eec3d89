"""Statements that are spread over several QR codes: whatever order, repetition and foreign codes do, the same bytes come out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.errors import StatementError
from scrutineer.statements import statement_hash
from scrutineer.statements.qr import (
    MAX_PARTS,
    MAX_QR_VERSION,
    MAX_SINGLE_SIZE,
    MAX_TRIALS,
    PART_SIZE,
    QrCollector,
    QrPart,
    qr_codes,
    qr_parts,
    qr_texts,
    read_qr_text,
    to_qr_text,
)

large = st.integers(MAX_SINGLE_SIZE + 1, 5 * PART_SIZE).flatmap(lambda size: st.binary(min_size=size, max_size=size))
foreign = st.one_of(st.text(max_size=40), st.sampled_from(["https://example.org/", "HC1:BB8", "scr2:0"]))


def collected(texts: list[str]) -> QrCollector:
    collector = QrCollector()
    for text in texts:
        collector.add(text)
    return collector


@given(large)
def test_parts_together_are_the_statement(data: bytes) -> None:
    parts = qr_parts(data)
    assert b"".join(part.data for part in parts) == data
    assert [part.number for part in parts] == list(range(1, parts[0].total + 1))
    assert {part.name for part in parts} == {statement_hash(data).hex()[:16].upper()}
    assert max(len(part.data) for part in parts) <= PART_SIZE
    assert [read_qr_text(part.text) for part in parts] == parts


@settings(max_examples=60)
@given(st.lists(large, min_size=1, max_size=3, unique=True), st.binary(min_size=1, max_size=100), st.data())
def test_order_repetition_and_foreign_codes_change_nothing(statements: list[bytes], small: bytes, data: st.DataObject) -> None:
    texts = [text for statement in statements for text in qr_texts(statement)] + qr_texts(small)
    texts += data.draw(st.lists(st.sampled_from(texts), max_size=5))
    texts += [text for text in data.draw(st.lists(foreign, max_size=5)) if not text.startswith(("SCR1:", "SCR2:"))]
    collector = collected(data.draw(st.permutations(texts)))
    assert sorted(collector.statements) == sorted([*statements, small])
    assert collector.incomplete() == []


@given(large, st.data())
def test_what_is_missing_is_named(statement: bytes, data: st.DataObject) -> None:
    parts = qr_parts(statement)
    seen = data.draw(st.sets(st.sampled_from(range(1, len(parts) + 1)), min_size=1, max_size=len(parts) - 1))
    collector = collected([part.text for part in parts if part.number in seen])
    assert collector.statements == []
    (incomplete,) = collector.incomplete()
    assert incomplete == (parts[0].name, len(parts), tuple(n for n in range(1, len(parts) + 1) if n not in seen))


@given(large, st.data())
def test_a_false_part_does_not_keep_the_statement_away(statement: bytes, data: st.DataObject) -> None:
    parts = qr_parts(statement)
    false = [
        part._replace(
            data=data.draw(st.binary(min_size=1, max_size=PART_SIZE).filter(lambda other, part=part: other != part.data))
        )
        for part in data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3, unique=True))
    ]
    collector = collected(data.draw(st.permutations([part.text for part in [*parts, *false]])))
    assert collector.statements == [statement]
    assert collector.incomplete() == []


@pytest.mark.parametrize("false_first", [True, False])
def test_many_false_readings_of_one_part_do_not_keep_the_true_one_out(false_first: bool) -> None:
    statement = bytes(range(250)) * 8
    parts = qr_parts(statement)
    true = [part.text for part in parts]
    false = [parts[1]._replace(data=b"%d" % number + parts[1].data[4:]).text for number in range(1_000, 1_000 + MAX_TRIALS - 1)]
    for order in (false + true, true[:1] + false + true[1:]) if false_first else (true[1:] + false + true[:1],):
        collector = collected(order)
        assert collector.statements == [statement]
        assert collector.incomplete() == []


def test_the_true_codes_one_after_the_other_are_enough_whatever_was_read_before() -> None:
    """False readings of every part, in more ways than can be tried and kept."""
    statement = bytes(range(250)) * 8
    parts = qr_parts(statement)
    false = [
        part._replace(data=b"%d" % number + part.data[4:]).text for number in range(1_000, 1_010 + MAX_TRIALS) for part in parts
    ]
    collector = collected([part.text for part in parts[1:]] + false)
    assert collector.statements == []
    for part in parts:
        collector.add(part.text)
    assert collector.statements == [statement]
    assert collector.incomplete() == []


def test_what_is_kept_is_bounded_and_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.statements.qr.MAX_READINGS", 5)
    first, second = (qr_parts(bytes([number]) * 2_000) for number in (1, 2))
    total = len(first)
    assert total == 4
    collector = collected([part.text for part in first[:2]])
    for number in range(4):
        collector.add(second[0]._replace(data=b"%d" % number).text)
    # The first part made room, and is missing again; a group of which nothing is left is gone.
    assert [one.missing for one in collector.incomplete()] == [(1, 3, 4), (2, 3, 4)]
    collector.add(second[0].text)
    assert [one.name for one in collector.incomplete()] == [second[0].name]
    for part in first:
        collector.add(part.text)
    assert collector.statements == [bytes([1]) * 2_000]


def test_false_parts_alone_give_nothing() -> None:
    parts = qr_parts(bytes(2_000))
    collector = collected([part._replace(data=b"x" * len(part.data)).text for part in parts])
    assert collector.statements == []
    assert collector.incomplete() == [(parts[0].name, len(parts), ())]
    # However many disturb, what is kept stays small, and what a person is told names the statement.
    for number in range(100):
        collector.add(parts[0]._replace(data=b"%d" % number).text)
    assert collector.statements == []


@given(st.text(max_size=60), st.binary(max_size=30))
def test_damaged_texts_are_refused_in_words(text: str, data: bytes) -> None:
    for claimed in (
        "SCR2:" + text,
        QrPart("0" * 16, 3, 2, data).text,
        QrPart("0" * 16, 1, 1, data).text,
        QrPart("x", 1, 2, data).text,
    ):
        with pytest.raises(StatementError) as caught:
            read_qr_text(claimed)
        assert str(caught.value).isprintable()


@given(st.integers(1, 9), st.data())
def test_another_way_to_cut_is_not_taken(cut: int, data: st.DataObject) -> None:
    """A statement has one set of codes: parts of other sizes, or a small statement in parts, are not put together."""
    statement = data.draw(st.binary(min_size=20, max_size=MAX_SINGLE_SIZE))
    name = statement_hash(statement).hex()[:16].upper()
    collector = collected(
        [QrPart(name, 1, 2, statement[:cut][:PART_SIZE]).text, QrPart(name, 2, 2, statement[cut:][:PART_SIZE]).text]
    )
    assert collector.statements == []


def test_sizes() -> None:
    assert qr_texts(bytes(MAX_SINGLE_SIZE)) == [to_qr_text(bytes(MAX_SINGLE_SIZE))]
    assert len(qr_texts(bytes(MAX_SINGLE_SIZE + 1))) == 2
    codes = qr_codes(bytes(MAX_PARTS * PART_SIZE))
    assert len(codes) == MAX_PARTS
    assert max(int(code.version) for code in codes) == 20 < MAX_QR_VERSION
    for size in (MAX_SINGLE_SIZE - PART_SIZE, MAX_PARTS * PART_SIZE + 1):
        with pytest.raises(StatementError, match="send it as a file"):
            qr_parts(bytes(size))
