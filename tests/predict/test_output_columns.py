"""The columns that `predict` writes: a class as 0 or 1, and as the training table's own word."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd

from manywalks.ensemble.model import Ensemble
from manywalks.predict.output_columns import result_table, schema

COLUMNS = {"ames": "f", "ames:decision": "i", "ames:flip": "f", "logS": "f", "logS:decision": "i"}


def test_a_class_has_its_word_beside_each_decision_and_a_cut_off_has_none() -> None:
    model = cast(Ensemble, SimpleNamespace(predicted_columns=COLUMNS, labels={"ames": ["safe", "toxic"]}))
    fields = schema(model, keep=["batch"])
    given: dict[str, list[Any]] = {
        "id": ["a", "b", "c"], "smiles": ["CCO", "xx", "CCN"], "standardized": ["CCO", None, "CCN"],
        "kept": [("7",), ("8",), ("9",)], "rejected": ["", "unparsable: no", ""],
    }  # fmt: skip
    predicted = pd.DataFrame(
        {"ames": [0.9, 0.2], "ames:decision": [1, 0], "ames:flip": [0.1, 0.0],
         "logS": [-1.0, -5.0], "logS:decision": [1, 0]}
    )  # fmt: skip
    found = result_table(given, predicted, [0, -1, 1], fields).to_pydict()
    assert list(found) == [
        "id", "smiles", "standardized", "batch", "ames", "ames:decision", "ames:label", "ames:flip", "logS",
        "logS:decision", "rejected",
    ]  # fmt: skip
    assert found["ames:label"] == ["toxic", None, "safe"]
    assert found["ames:decision"] == [1, None, 0]
    assert found["batch"] == ["7", "8", "9"]


def test_a_table_of_nothing_but_rejected_rows_has_the_same_columns() -> None:
    model = cast(Ensemble, SimpleNamespace(predicted_columns=COLUMNS, labels={"ames": ["safe", "toxic"]}))
    fields = schema(model)
    given: dict[str, list[Any]] = {
        "id": ["b"], "smiles": ["xx"], "standardized": [None], "kept": [()], "rejected": ["unparsable"],
    }  # fmt: skip
    predicted = pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    found = result_table(given, predicted, [-1], fields)
    assert found.schema.equals(fields)
    assert found.to_pydict()["ames:label"] == [None]
