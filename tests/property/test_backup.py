"""Whatever a log holds, backing it up and restoring it gives the same entries, heads and receipts."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.log import SqliteStore
from scrutineer.log.backup import Backup, write_backup
from scrutineer.log.copy import restore
from scrutineer.log.mark import Mark
from store_helpers import VERIFIER, Site, everything, made

BATCHES = st.lists(st.lists(st.binary(min_size=1, max_size=600), min_size=1, max_size=40), min_size=1, max_size=12)


@given(BATCHES, st.integers(min_value=1, max_value=12))
@settings(max_examples=40, deadline=None)
def test_round_trip(batches: list[list[bytes]], backed_up: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A backup of the first batches, and the site of them all.
        early, whole = made(folder / "early.db", batches[:backed_up]), made(folder / "whole.db", batches)
        for store, sites in ((early, []), (early, [Site(whole)]), (whole, []), (whole, [Site(whole)])):
            file, target = folder / "backup", folder / "new.db"
            reader = SqliteStore.open_reader(store)
            write_backup(reader, VERIFIER, file)
            reader.close()
            restored = SqliteStore.open(target, create=True)
            restore(
                Backup(file),
                restored,
                VERIFIER,
                sites=[(site.log, site.head) for site in sites],
                mark=Mark(folder / "mark"),
                progress=lambda what, done, total: None,
            )
            restored.close()
            found, heads, receipts = everything(target)
            expected = everything(whole if sites else store)
            assert found == expected[0]
            if store == whole or not sites:
                assert (heads, receipts) == expected[1:]
            else:
                known = {head.size for head in heads}
                assert known <= {head.size for head in expected[1]}
                last = everything(early)[1][-1].size
                assert receipts[:last] == expected[2][:last]
            for path in folder.iterdir():
                if path not in (early, whole):
                    path.unlink()
