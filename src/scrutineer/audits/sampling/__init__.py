"""Which cards or boxes are drawn: a function of the seed and of committed bytes alone."""
