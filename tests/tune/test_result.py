"""What a search leaves in reports/tune.json."""

from typing import Any

import pytest

from manywalks.params.load import Params
from manywalks.params.presets import with_preset
from manywalks.tune.result import changes
from manywalks.tune.space.default_space import default_space


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        ({"families.paths.weight": 2.7}, [("families.paths.weight", 1.0, 2.7)]),
        ({"families.paths.use": False}, [("families.paths", "in", "out")]),
        ({"featurize.blocks.erg.use": False}, [("featurize.blocks.erg", "in", "out")]),
        ({"network.widths": [64, 32]}, [("network.widths", [16, 8], [64, 32])]),
    ],
)
def test_changes_are_told_key_by_key(present: Params, values: dict[str, Any], rows: list[Any]) -> None:
    mixed = with_preset(present)
    found = changes(mixed, default_space(mixed).params(values))
    own = [(one["key"], one["present"], one["tuned"]) for one in found]
    assert [row for row in own if row in rows] == rows
    assert not any(key in ("families", "featurize.blocks") or key.endswith(".blocks") for key, *_ in own)
    assert all(row in rows or row[1:] == ("in", "out") for row in own)


def test_a_family_that_sees_other_blocks_is_told(present: Params) -> None:
    mixed = with_preset(present)
    first, *rest = mixed.families
    fewer = first.model_copy(update={"blocks": first.blocks[1:]})
    (row,) = changes(mixed, mixed.model_copy(update={"families": (fewer, *rest)}))
    assert row["key"] == f"families.{first.name}.blocks"
    assert row["tuned"] == list(first.blocks[1:])


def test_what_a_family_takes_from_its_section_so_far_has_no_present_value(present: Params) -> None:
    mixed = with_preset(present)
    first, *rest = mixed.families
    own = first.model_copy(update={"network": {"dropout": 0.3}})
    (row,) = changes(mixed, mixed.model_copy(update={"families": (own, *rest)}))
    assert row == {"key": f"families.{first.name}.network.dropout", "present": None, "tuned": 0.3}
