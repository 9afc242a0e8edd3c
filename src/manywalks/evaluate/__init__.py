"""Scores, the reproducibility statement and what both rest on."""
