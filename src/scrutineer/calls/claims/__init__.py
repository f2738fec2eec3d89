"""Announced figures checked against themselves: the pure arithmetic of claims."""
