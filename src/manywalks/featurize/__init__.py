"""Molecules to named columns: fingerprints, descriptors, ionization, conformers."""
