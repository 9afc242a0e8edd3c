"""What is said of a column that is not there: the one that may have been meant, or those that are."""

import difflib
from collections.abc import Sequence

MOST = 8


def hint(column: str, there: Sequence[str]) -> str:
    """ "did you mean 'SMILES'?", or "it has 'a', 'b' and 3 more" where nothing is near."""
    lowered = {name.lower(): name for name in reversed(there)}
    near = difflib.get_close_matches(column.lower(), list(lowered), n=1, cutoff=0.6)
    return f"did you mean {lowered[near[0]]!r}?" if near else f"it has {listed(there)}"


def listed(names: Sequence[str]) -> str:
    """Names in quotes, the first few of many."""
    shown = ", ".join(repr(name) for name in names[:MOST])
    return (shown + (f" and {len(names) - MOST} more" if len(names) > MOST else "")) or "no columns"
