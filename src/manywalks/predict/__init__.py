"""Predict tables of any size."""
