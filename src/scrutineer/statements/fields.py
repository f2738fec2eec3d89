"""Checks that fields of several kinds of statement have in common."""

from typing import Final

from scrutineer.errors import StatementError

HASH_SIZE: Final = 32  # bytes
MAX_TEXT_LENGTH: Final = 2_000  # characters


def check_hash(value: bytes, what: str) -> None:
    """Refuse what is no SHA-256. Raises StatementError."""
    if len(value) != HASH_SIZE:
        raise StatementError(f"{what} is not a hash of {HASH_SIZE} bytes")


def check_text(value: str, what: str, longest: int = MAX_TEXT_LENGTH) -> None:
    """Refuse a text that says nothing, or is longer than so many characters. Raises StatementError."""
    if not value.strip() or len(value) > longest:
        raise StatementError(f"{what} is empty or longer than {longest} characters: write one or a few sentences")
