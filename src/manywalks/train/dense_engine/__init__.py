"""The engine for dense networks, compiled by numba."""
