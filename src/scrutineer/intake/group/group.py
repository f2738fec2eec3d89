"""What a process needs to serve as one of several on one PostgreSQL store."""

from collections.abc import Callable
from typing import Self

from scrutineer.intake.group.member import Member, Say
from scrutineer.intake.sequencer import Recorder
from scrutineer.intake.service import Intake
from scrutineer.log import LogSigner, SharedLog
from scrutineer.log.log import Progress
from scrutineer.log.mark import Mark
from scrutineer.log.postgresql import PostgresqlStore


class Group:
    """One process's place among those that share a store: its log, and the recorder for its service.

        with closing(Group.open(url, keys)) as group:
            Service(group.log, files, recorder=group.recorder(say)).run()

    Any number of processes may do the same with the same keys, on one machine or on several: one of them leads.
    """

    def __init__(self, log: SharedLog, store: PostgresqlStore) -> None:
        self.log = log
        """Up to date as far as it was read; from the start of the service on it follows the others."""
        self._store = store

    @classmethod
    def open(cls, url: str, keys: LogSigner, *, mark: Mark | None = None, progress: Progress | None = None) -> Self:
        """Connect, and read the log from the database.

        Raises StoreError when the server cannot be used, its tables are missing or of another version, or no log is in them;
        raises LogError like `Log.open`.
        """
        store = PostgresqlStore.open_member(url, keys.origin)
        try:
            if store.last_head() is None:
                raise store.address.error(
                    "there is no election's log in this database yet: `scrutineer store migrate` brings it there"
                )
            return cls(SharedLog.open(store, keys, mark=mark, progress=progress), store)
        except BaseException:
            store.close()
            raise

    @property
    def where(self) -> str:
        """The address of the database, without its password."""
        return str(self._store.address)

    def recorder(self, say: Say) -> Callable[[Intake], Recorder]:
        """What makes the recorder for `Service`. `say` gets one plain line when the store goes, is back, or the lead changes."""
        return lambda intake: Member(self.log, self._store, intake, say=say)

    def close(self) -> None:
        """Close log, mark and store."""
        self.log.close()
