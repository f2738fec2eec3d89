"""The append-only log of opaque entries: RFC 9162 tree, C2SP checkpoints and tiles, COSE receipts, durable stores."""

from scrutineer.log.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint, sign_checkpoint
from scrutineer.log.log import Integrated, Log
from scrutineer.log.merkle import MerkleTree, leaf_hash, verify_consistency, verify_inclusion
from scrutineer.log.proof import LogProof, verify_proof
from scrutineer.log.receipt import Receipt, verify_entry_receipt, verify_receipt
from scrutineer.log.shared import SharedLog
from scrutineer.log.signer import LogSigner, LogVerifier
from scrutineer.log.sqlite import SqliteStore
from scrutineer.log.store import Head, SharedStore, Store
from scrutineer.log.tiles import MAX_ENTRY_SIZE

__all__ = [
    "MAX_ENTRY_SIZE",
    "Checkpoint",
    "Head",
    "Integrated",
    "Log",
    "LogProof",
    "LogSigner",
    "LogVerifier",
    "MerkleTree",
    "OpenedCheckpoint",
    "Receipt",
    "SharedLog",
    "SharedStore",
    "SqliteStore",
    "Store",
    "leaf_hash",
    "open_checkpoint",
    "sign_checkpoint",
    "verify_consistency",
    "verify_entry_receipt",
    "verify_inclusion",
    "verify_proof",
    "verify_receipt",
]
