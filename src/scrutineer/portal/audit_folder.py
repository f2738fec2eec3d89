"""A publisher's folder of audits, which is looked through again for every publication."""

import contextlib
from pathlib import Path

from scrutineer.portal.audit_files import MAX_AUDIT_FILE, audit_file_of, audit_path


class AuditFolder:
    """The files of audits in a folder, each of which has a folder of its own there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.skipped: list[tuple[str, str]] = []
        """Files that are not published, by name, with the reason; those of `find`, and then of whoever judges them."""

    def stamp(self) -> frozenset[tuple[str, int, int]]:
        """What tells whether any file was added, changed or taken away: names, sizes and times of change."""
        with contextlib.suppress(OSError):
            return frozenset((str(path), (s := path.lstat()).st_size, s.st_mtime_ns) for path in self._folder.glob("*/*"))
        return frozenset()

    def find(self) -> dict[str, bytes]:
        """The files by their path on the site. One that cannot be read, or is too large, is skipped and holds up no other."""
        self.skipped = []
        found = {}
        try:
            paths = sorted(self._folder.glob("*/*"))
        except OSError as error:
            self.skipped.append((str(self._folder), f"it cannot be read ({error.strerror}): check its permissions"))
            return {}
        for path in paths:
            where = audit_path(path.parent.name, path.name)
            if audit_file_of(where) is None or path.suffix == ".cose":
                continue
            try:
                if path.is_symlink() or not path.is_file():
                    continue
                if path.stat().st_size > MAX_AUDIT_FILE:
                    self.skipped.append((where, f"it has more than {MAX_AUDIT_FILE:,} bytes: no site takes it"))
                    continue
                found[where] = path.read_bytes()
            except OSError as error:
                self.skipped.append((where, f"it cannot be read ({error.strerror}): check its permissions"))
        return found
