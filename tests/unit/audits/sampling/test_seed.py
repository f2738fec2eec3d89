import pytest

from scrutineer.audits.sampling.seed import canonical_seed, seed_bytes
from scrutineer.errors import AuditError

DIGITS = "31415926535897932384"


def test_digits_typed_in_groups_are_the_digits_alone():
    assert canonical_seed("31415 92653\n58979 32384\r\n") == DIGITS
    assert canonical_seed(DIGITS) == DIGITS


@pytest.mark.parametrize(
    "text", ["", DIGITS[:-1], DIGITS + "x", "-" + DIGITS, "3" * 1001, "٣" * 20, "²" * 20, DIGITS + ".", DIGITS + "\u00a01"]
)
def test_anything_else_is_refused_with_what_a_seed_is(text):
    with pytest.raises(AuditError, match="20 to 1000 digits 0 to 9 and nothing else"):
        canonical_seed(text)


def test_a_draw_takes_the_canonical_form_alone():
    assert seed_bytes(DIGITS) == DIGITS.encode()
    with pytest.raises(AuditError, match="write the digits alone"):
        seed_bytes(DIGITS + " ")
