"""Risk functions: from drawn values to evidence, valid at every moment.

Public face: `model` (what a risk function promises; `Null`, `RiskFunction`), `named` (by name and parameters, as a plan has
them), `alpha`, `betting`, `bravo`, `kaplan` (the functions), `cobra` (bets for the comparison of cards), `stratified` (two strata
by evidence), `strata` (any number of strata, and many audits at once). For other people's audits: `suite` (Fisher's combination,
for sizes fixed in advance) and `minerva` (by rounds).
"""
