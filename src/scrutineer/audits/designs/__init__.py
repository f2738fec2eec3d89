"""Designs of audits: from what was seen on paper, and what was reported, to the values that a risk function takes."""
