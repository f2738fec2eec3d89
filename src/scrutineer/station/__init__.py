"""The polling station's side: a durable outbox, the ways by which a sheet travels to the log, and what is shown of it.

Statements wait in an `Outbox` (outbox.py) until their receipts are there and have been verified. Whatever takes a statement
over HTTP on its way, an intake service or a relay, is spoken to alike: `POST <url>/entries` with the statement as
application/cose. 200 or 201 carries the log's receipt (application/cose). 202 says that a relay holds the statement and will
forward it, which is no receipt: the statement goes on waiting, and asking again later brings the receipt once the relay has
it. A refusal is a Concise Problem Details body with one of the reasons of `scrutineer.http.problems`; 429 and 5xx pass, and
may say when to come back in `Retry-After` (seconds).
"""
