"""Can it still change? Verdicts on partial counts, and the check of announced figures. Pure."""
