"""The intake as several processes on one PostgreSQL store: one leads and writes the log, the others follow and can take over.

Public face: `Group`. Needs the extra `postgresql`. See docs/decisions/intake-group.md.
"""

from scrutineer.intake.group.group import Group

__all__ = ["Group"]
