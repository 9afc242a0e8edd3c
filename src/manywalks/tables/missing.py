"""How a missing value is written in a cell, in lower case."""

MISSING = frozenset({"", "nan", "na", "n/a", "<na>", "null", "none", "-", "#n/a"})
