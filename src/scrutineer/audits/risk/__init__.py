"""Risk functions: from drawn values to evidence, valid at every moment (see `model`)."""
