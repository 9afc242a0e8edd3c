"""SMARTS patterns compiled to arrays, and matched a few hundred at a time in compiled code."""
