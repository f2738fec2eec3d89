"""A second look at a published election: checks a site's folder after docs/formats.md, and shares no code with its maker.

Read the modules in this order; each has one subject.

    report       what is said at the end
    shapes       what a value may look like
    cbor         bytes to values (RFC 8949)
    signatures   Ed25519, ML-DSA-44, key thumbprints
    notes        signed notes, checkpoints, cosignatures, the list of files
    merkle       the log's tree and its tiles
    statements   envelopes and payloads
    election     the definition and its tables
    policy       who may say what, and acts that need several signatures
    rules        what is held against one sheet
    count        which sheet counts, and totals
    tables       the published figures beside our own
    ballots      encrypted ballots: ElectionGuard 2.1.0, verifications 1 to 19
    audits       statements of audits, and their order
    outcome      audits of the outcome: plans, draws, risks and reports
    site         the order in which all of this is done
"""
