"""Cast vote records of every maker, as columns.

`model` says what cards are; `reading.read_cards` recognises a file by its content and reads it; one module for each maker's
format (`raire`, `dominion_json`, `dominion_csv`, `hart`, `ess`, `clearballot`, `nist`), `compact` for our own file of cards and
the digest that does not depend on the order of records, `batch_totals` and `own` for totals by batch instead of records of cards.
"""
