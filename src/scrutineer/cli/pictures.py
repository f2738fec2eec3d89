"""What was found in pictures of printed sheets, in words and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scrutineer.errors import ScrutineerError, StatementError, UsageError
from scrutineer.statements import Statement, parse_statement
from scrutineer.statements.qr import QrCollector, QrPart
from scrutineer.statements.qr_image import look_at_picture, parts_words


@dataclass
class Picture:
    """One picture: the statements and parts that its codes hold, and what else is in it."""

    path: Path
    statements: list[Statement] = field(default_factory=list)
    parts: list[QrPart] = field(default_factory=list)
    foreign: int = 0
    """Codes that are not ours."""
    unread: int = 0
    """Codes that were seen and could not be read."""
    damaged: list[str] = field(default_factory=list)
    """What is wrong with codes that claim to be ours, or with the picture."""

    @property
    def trouble(self) -> bool:
        """Whether a person should look: nothing of ours was found, or less than there is."""
        return bool(self.damaged or self.unread) or not (self.statements or self.parts)

    def words(self) -> str:
        """What was found, as one line."""
        found = [f"{one.kind} {one.envelope.subject} by {one.issuer}" for one in self.statements]
        found += [f"part {part.number} of {part.total} of statement {part.name.lower()}" for part in self.parts]
        if self.foreign:
            found.append(f"{self.foreign} {_codes(self.foreign)} that {'is' if self.foreign == 1 else 'are'} not a statement's")
        if self.unread:
            was = "was" if self.unread == 1 else "were"
            found.append(
                f"{self.unread} {_codes(self.unread)} that {was} seen and could not be read: take it again, closer and sharp"
            )
        found += self.damaged
        if not (self.statements or self.parts or self.damaged or self.unread):
            found.append("no code of a statement; take the picture again, closer, sharp and evenly lit")
        return f"{self.path}: {'; '.join(found)}"

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "file": str(self.path),
            "statements": [
                {"statement": one.hash.hex(), "kind": one.kind, "issuer": one.issuer, "subject": one.envelope.subject}
                for one in self.statements
            ],
            "parts": [{"statement": part.name.lower(), "part": part.number, "of": part.total} for part in self.parts],
            "foreign": self.foreign,
            "unread": self.unread,
            "damaged": self.damaged,
        }


class Pictures:
    """Several pictures that belong together: parts of one statement may lie on any of them."""

    def __init__(self) -> None:
        self.seen: list[Picture] = []
        self._collector = QrCollector()

    @property
    def statements(self) -> list[bytes]:
        """The signed bytes of every statement that is whole, each once."""
        return [data for data in self._collector.statements if _parsed(data) is not None]

    @property
    def trouble(self) -> bool:
        """Whether anything is missing or a picture should be taken again."""
        return bool(self._collector.incomplete()) or any(picture.trouble for picture in self.seen)

    def look(self, path: Path) -> None:
        """Look at one picture. A picture that cannot be read is noted; raises UsageError where none can be."""
        picture = Picture(path)
        self.seen.append(picture)
        try:
            seen = look_at_picture(path)
        except UsageError as error:
            if "scrutineer[scan]" in str(error):
                raise
            picture.damaged.append(str(error).removeprefix(f"{path}: "))
            return
        picture.unread = seen.unread
        for text in seen.texts:
            try:
                found = self._collector.add(text)
                if found is None:
                    picture.foreign += 1
                elif isinstance(found, QrPart):
                    picture.parts.append(found)
                else:
                    picture.statements.append(parse_statement(found))
            except StatementError as error:
                picture.damaged.append(f"a code is not a statement's, though it begins like one ({error})")

    def left_over(self) -> Iterator[str]:
        """A line for each statement of which not all parts were found."""
        for name, total, missing in self._collector.incomplete():
            yield f"Statement {name.lower()}, in {total} codes: {parts_words(missing)}. It was not submitted."

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "pictures": [picture.as_json() for picture in self.seen],
            "incomplete": [
                {"statement": name.lower(), "parts": total, "missing": list(missing)}
                for name, total, missing in self._collector.incomplete()
            ],
        }


def _parsed(data: bytes) -> Statement | None:
    try:
        return parse_statement(data)
    except ScrutineerError:
        return None


def _codes(count: int) -> str:
    return "code" if count == 1 else "codes"
