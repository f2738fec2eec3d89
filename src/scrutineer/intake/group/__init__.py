"""The intake as several processes on one PostgreSQL store: one leads and writes the log, the others follow and can take over.

Public face: `serve_group`, and `Member`, the recorder of one process for a `Service`. Needs the extra `postgresql`.
"""
