"""The polling station's side: a durable outbox, the ways by which a sheet travels to the log, and what is shown of it."""
