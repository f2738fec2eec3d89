"""What the board's pages send: forms with key files (RFC 7578), read strictly and in bounded size. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final
from urllib.parse import parse_qsl

from scrutineer.errors import UsageError

MAX_BODY: Final = 128 << 10  # bytes
MAX_FIELDS: Final = 64


@dataclass(frozen=True)
class Fields:
    """The fields of a form by name, as bytes."""

    values: Mapping[str, bytes]

    def text(self, name: str) -> str:
        """A field as text; empty where it is missing. Raises UsageError for what is no text."""
        try:
            return self.values.get(name, b"").decode()
        except UnicodeDecodeError as error:
            raise UsageError("the form cannot be read: load the page again") from error

    def number(self, name: str, least: int, most: int) -> int:
        """A field as a whole number. Raises UsageError for another one."""
        text = self.text(name)
        if not (text.isascii() and text.isdigit()) or len(text) > 9 or not least <= int(text) <= most:
            raise UsageError(f"write a whole number from {least} to {most}")
        return int(text)

    def file(self, name: str) -> bytes:
        """A file that was chosen. Raises UsageError where none was."""
        data = self.values.get(name, b"")
        if not data:
            raise UsageError("choose a key file for each person (it ends in .pem)")
        return data


def read_form(content_type: str, body: bytes) -> Fields:
    """Read the body of a form. Raises UsageError where it is none."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
            return Fields({name: value.encode() for name, value in pairs})
        if kind == "multipart/form-data":
            head = f"Content-Type: {content_type}\r\n\r\n".encode("ascii")
            message = BytesParser(policy=HTTP).parsebytes(head + body)
            if not message.is_multipart():
                raise UsageError("the form cannot be read: load the page again")
            found: dict[str, bytes] = {}
            for part in message.iter_parts():
                name = part.get_param("name", header="content-disposition")
                content = part.get_payload(decode=True)
                if not isinstance(name, str) or not isinstance(content, bytes) or len(found) >= MAX_FIELDS:
                    raise UsageError("the form cannot be read: load the page again")
                found[name] = content
            return Fields(found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("the form cannot be read: load the page again") from error
    raise UsageError("the form cannot be read: load the page again")
