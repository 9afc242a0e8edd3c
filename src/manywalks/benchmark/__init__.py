"""Scores on public tables, beside published ones."""
