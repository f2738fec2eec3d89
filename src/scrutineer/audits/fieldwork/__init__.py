"""Work with the paper: what is fetched and counted, on papers and on pages, and how what two people entered becomes one count.

Nobody who fetches or counts is shown what was reported: `work.FieldWork` holds no figure of it, and is all that papers and pages
are made of.
"""
