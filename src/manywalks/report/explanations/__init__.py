"""Atom contributions on a page and as a picture."""
