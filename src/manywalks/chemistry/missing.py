"""How a missing value is written in a cell, in lower case; a missing structure too."""

MISSING = frozenset(
    {
        "", "nan", "na", "n/a", "<na>", "null", "none", "nil", "-", "--", "–", "—", "?", ".", "#n/a",
        "missing",
        # of an assay: nobody has measured it
        "nd", "n.d.", "n.d", "n/d", "nt", "n.t.", "n/t", "not determined", "not tested", "not measured",
    }
)  # fmt: skip
