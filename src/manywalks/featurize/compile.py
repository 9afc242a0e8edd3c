"""Compile the descriptors ahead, half a minute once for an installation, so that no training waits for it."""

from manywalks.featurize.fingerprints import FROM_ARRAYS
from manywalks.featurize.molecule import COMPILED, read_blocks


def compile_ahead() -> None:
    """Compile what every block of ours needs; numba keeps it beside the code, or in NUMBA_CACHE_DIR."""
    read_blocks([{"kind": kind} for kind in (*COMPILED, *FROM_ARRAYS)])


if __name__ == "__main__":
    compile_ahead()
