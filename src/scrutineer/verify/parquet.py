"""Whether two Parquet files say the same to every reader: the one format whose bytes depend on the library that wrote them."""

import io
import re
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

PARQUET_SLACK: Final = 1 << 16  # bytes; a file may be so much more than twice as large as ours and still say the same
_ROWS: Final = 65_536  # compared at a time
_WRITER: Final = re.compile(r"parquet-cpp-arrow version [0-9]{1,4}(\.[0-9]{1,4}){1,3}")


def same_parquet(published: bytes, given: bytes) -> bool:
    """Whether a file holds the rows of another, and nothing that could make a reader see anything else.

    Readers trust the footer: they skip row groups by the statistics in it, and show what its metadata say. All of that must
    be as in the given file, which is ours.
    """
    try:
        left, right = pq.ParquetFile(io.BytesIO(published)), pq.ParquetFile(io.BytesIO(given))
        if not _same_footer(left.metadata, right.metadata) or not left.schema_arrow.equals(
            right.schema_arrow, check_metadata=True
        ):
            return False
        batches = zip(left.iter_batches(_ROWS), right.iter_batches(_ROWS), strict=True)
        return all(mine.equals(yours) for mine, yours in batches)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError):
        return False


def _same_footer(left: Any, right: Any) -> bool:
    facts = ("num_columns", "num_rows", "num_row_groups", "format_version")
    return (
        _own_metadata(left) == _own_metadata(right)
        and _WRITER.fullmatch(left.created_by or "") is not None
        and all(getattr(left, fact) == getattr(right, fact) for fact in facts)
        and all(_same_row_group(left.row_group(n), right.row_group(n)) for n in range(right.num_row_groups))
    )


def _own_metadata(footer: Any) -> dict[bytes, bytes]:
    """The control totals in the footer; the schema of Arrow beside them is compared as such."""
    return {key: value if key != b"ARROW:schema" else b"" for key, value in (footer.metadata or {}).items()}


def _same_row_group(left: Any, right: Any) -> bool:
    return left.num_rows == right.num_rows and all(
        _same_column(left.column(n), right.column(n)) for n in range(right.num_columns)
    )


def _same_column(left: Any, right: Any) -> bool:
    facts = ("path_in_schema", "physical_type", "num_values", "file_path", "metadata")
    return (
        all(getattr(left, fact) == getattr(right, fact) for fact in facts)
        and not (left.has_column_index or left.has_offset_index or left.bloom_filter_offset)
        and _same_statistics(left.statistics, right.statistics)
    )


def _same_statistics(left: Any, right: Any) -> bool:
    """A file without statistics hides nothing; one that has them must have the right ones."""
    if left is None:
        return True
    facts = ("null_count", "has_min_max", "min", "max", "num_values")
    return (
        right is not None
        and all(getattr(left, fact) == getattr(right, fact) for fact in facts)
        and left.distinct_count in (None, right.distinct_count)
    )
