"""Classes that cannot be trained on are told before anything is trained."""

import pandas as pd
import pytest

from manywalks.data.curate import curate_table
from manywalks.params.load import parse_params

SMILES = ["CCO", "CCN", "CCC", "CCCl"]


def refused(cells: list[str], smiles: list[str] = SMILES, **endpoint: str) -> str:
    data = {"path": "t.csv", "endpoints": {"active": {"kind": "classification", **endpoint}}}
    with pytest.raises(ValueError, match=r"t\.csv: column 'active' of endpoint active") as refusal:
        curate_table(pd.DataFrame({"smiles": smiles, "active": cells}), parse_params({"data": data}))
    return str(refusal.value)


def test_minus_one_is_named_with_its_remedy() -> None:
    said = refused(["1", "-1", "1", "-1"])
    assert "holds class 1 alone; '-1' (2 cells) says no class: set positive: '1' and negative: ['-1']" in said


def test_one_class_in_the_table_is_refused() -> None:
    assert "holds class 0 alone; add records of the other class" in refused(["0", "0", "no", "false"])


def test_one_class_that_is_left_is_refused_with_what_took_the_other() -> None:
    said = refused(["1", "1", "0", "0"], ["CCO", "CCN", "C1CC", "xx"])
    assert "has class 1 alone in the 2 molecules that are kept (rejected records: unparsable (2))" in said


def test_classes_are_called_what_the_table_calls_them() -> None:
    def labels(cells: list[str], **keys: object) -> list[str]:
        frame = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC", "CCCl", "CCBr"][: len(cells)], "y": cells})
        raw = {"data": {"path": "t.csv", "endpoints": {"y": {"kind": "classification", **keys}}}}
        return curate_table(frame, parse_params(raw)).card["endpoints"]["y"]["labels"]

    assert labels(["Yes", "No", "Yes", "yes"]) == ["No", "Yes"]
    assert labels(["1", "0", "1"]) == ["0", "1"]
    assert labels(["toxic", "safe", "safe"], positive="toxic") == ["safe", "toxic"]
    assert labels(["toxic", "safe", "fine"], positive="toxic") == ["not toxic", "toxic"]
