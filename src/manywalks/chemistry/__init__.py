"""Molecules: reading, standardizing, tautomers."""
