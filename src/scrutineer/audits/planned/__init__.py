"""What a plan's design makes of its files: which units are drawn, and what those that were drawn show of every test.

`model` says what a design can do, `boxes` is tally-sheet comparison, `cards` polling, ONEAudit and comparison of single cards;
`two_stage` some cards of drawn boxes; `strata` comparison in some boxes and polling in the others;
`files` opens the files of a plan.
"""
