"""Risk-limiting audits: what must hold for an outcome, how cards are drawn, and what the drawn ones show. Pure.

An audit is a plan that is registered in the log, a seed from public dice that is registered after it, counts of what was drawn,
and a report that anyone computes again from these. Public face by part: `assertions` and `outcome` (what has to be shown),
`cards` (records in columns), `manifest` and `sampling` (what lies where, and what is drawn), `designs` (from
marks on paper to values), `risk` (from values to evidence), `sizes` and `planner` (how much work), `plan`, `status` and `report`,
`registered` (the audits of a log) and `other_plans` (which of them are about the same contests).
"""
