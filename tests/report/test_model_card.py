"""Sentences of the model card."""

from types import SimpleNamespace
from typing import Any

import pytest

from manywalks.report.model_card import _training


@pytest.mark.parametrize(
    ("train", "said"),
    [({}, "(cosine)"), ({"warmup": 0.1}, "(cosine, reached after 10 % of the steps)")],
)
def test_the_card_says_when_the_learning_rate_is_reached(train: dict[str, Any], said: str) -> None:
    found: Any = SimpleNamespace(
        about={"params": {"train": train}}, data={"endpoints": {"y": {"kind": "regression"}}}
    )
    assert f"learning rate 0.001 {said}, 50 epochs" in _training(found)
