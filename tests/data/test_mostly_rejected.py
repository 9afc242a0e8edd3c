"""A unit written wrong in most records stops the run, unless params.yaml says to go on."""

import numpy as np
import pandas as pd
import pytest

from manywalks.data.curate import curate_table
from manywalks.data.refusals import FEW
from manywalks.params.load import parse_params
from tests.support.molecules import DRUGS

UNITS = {"y": {"unit": "uM", "unit_column": "u"}}


def curated(units, smiles=None, values=None, curate=None, endpoints=None, **data):
    """Curate as many records as there are units: chains, each a molecule of its own."""
    n = len(units)
    smiles = ["C" * (i % 100 + 1) + "O" * (i // 100 + 1) for i in range(n)] if smiles is None else smiles
    values = [str(i % 7 + 1) for i in range(n)] if values is None else values
    frame = pd.DataFrame({"smiles": smiles, "y": values, "u": units}, dtype=str)
    raw = {"data": {"path": "t.csv", "endpoints": endpoints or UNITS, **data}, "curate": curate or {}}
    return curate_table(frame, parse_params(raw)).molecules


def test_a_unit_that_is_wrong_in_most_records_stops_the_run():
    said = (
        "t.csv: 90 of 103 values of endpoint y are rejected as unit, such as that of record 1 "
        r"\(y: unit 'nmM' cannot be converted to 'uM'\), which leaves 13 molecules; .*curate.max_rejected: 1"
    )
    with pytest.raises(ValueError, match=said):
        curated(["nmM"] * 90 + ["nM"] * 13)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [(FEW - 1, 5), (400, FEW), (60, 20)],
    ids=["few records", "enough molecules left", "not nearly all"],
)
def test_other_tables_are_trained_on(wrong, right):
    assert len(curated(["nmM"] * wrong + ["nM"] * right)) == right


def test_a_key_goes_on_all_the_same():
    units = ["nmM"] * 90 + ["nM"] * 13
    assert len(curated(units, curate={"max_rejected": 1})) == 13
    assert len(curated(units, where={"u": ["nM"]})) == 13


def test_structures_that_nobody_can_read_stop_the_run():
    with pytest.raises(ValueError, match=r"90 of 100 values .* as unparsable.* leaves 10 molecules"):
        curated(["uM"] * 100, smiles=["C1CC"] * 90 + DRUGS[:10])


def test_an_endpoint_that_few_records_have_is_no_fault():
    assert np.isfinite(curated(["uM"] * 100, values=["1"] * 10 + [""] * 90)["y"]).sum() == 10


def test_limits_that_params_reject_are_no_fault():
    endpoints = {"y": {"censored": "reject"}}
    values = [">5"] * 90 + ["1", "2"] * 5
    assert len(curated(["uM"] * 100, values=values, endpoints=endpoints)) == 10


def test_each_endpoint_is_judged_by_itself():
    """The records are used for the other endpoint; this one would train on 13 molecules."""
    units = ["nmM"] * 90 + ["nM"] * 13
    endpoints = {"z": {"column": "y"}, **UNITS}
    with pytest.raises(ValueError, match=r"90 of 103 values of endpoint y"):
        curated(units, endpoints=endpoints)
