"""Replays an audit that Arlo exported: draws it again from its seed, and computes its P-values again from what was counted."""

from typing import Final

from scrutineer.audits.cards.sources import Progress, silent
from scrutineer.audits.replay.arlo_ballots import BallotReplay
from scrutineer.audits.replay.arlo_batches import BatchReplay
from scrutineer.audits.replay.arlo_files import ArloFiles
from scrutineer.audits.replay.arlo_model import ArloReport
from scrutineer.audits.replay.checks import Replay

KINDS: Final = {
    "BALLOT_POLLING": "ballot polling",
    "BATCH_COMPARISON": "batch comparison",
    "BALLOT_COMPARISON": "ballot comparison",
    "HYBRID": "ballot comparison and polling in strata",
}


def replay_arlo(report: ArloReport, files: ArloFiles, progress: Progress = silent) -> Replay:
    """All that can be computed again of an audit, held against its report.

    Raises AuditError for files that contradict each other.
    """
    replay: BatchReplay | BallotReplay
    replay = BatchReplay(report, files) if report.kind == "BATCH_COMPARISON" else BallotReplay(report, files, progress)
    found = list(replay.checks())
    notes = dict.fromkeys([*report.warnings, *(note for _, note in found if note)])
    kind = f"{KINDS[report.kind]} ({report.math})" if report.math else KINDS[report.kind]
    return Replay(report.audit, kind, report.seed, tuple(check for check, _ in found), tuple(notes))
