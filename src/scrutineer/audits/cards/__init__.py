"""Cast vote records of every maker, as columns (see `model`)."""
