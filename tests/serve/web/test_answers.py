"""Answers of a model of many endpoints, classes among them: those of `Ensemble.predict` in every form."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem

from manywalks.ensemble.companions import Companions
from manywalks.predict.columns import Record
from manywalks.predict.molecule_worker import SMILES
from manywalks.serve.limits import Limits
from manywalks.serve.live import Live
from manywalks.serve.predicting import Nearest, Predicting
from manywalks.serve.web.answers import Answer, Prediction, answer, as_frame, as_sdf, nearest, prediction
from tests.export.test_onnx import made

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")

GIVEN = ["CCO", "not one", "c1ccccc1O", "CCO", ""]
RECORDS = [Record(str(k), "smiles", text) for k, text in enumerate(GIVEN)]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    ensemble = made(tmp_path_factory.mktemp("model"), {})
    predicting = Predicting(ensemble, Limits(), 1)
    yield Live("m", "v", None, ensemble, Companions({}, {}, "", None), None, predicting)
    predicting.close()


def test_json_has_what_predict_gives(live: Live) -> None:
    rows = live.predicting.predict([SMILES + text for text in GIVEN]).future.result(60)
    found = answer(live, RECORDS, rows)
    assert Answer.model_validate(found).model_dump(exclude_unset=True) == found
    known = live.ensemble.predict(GIVEN, cores=1)
    for place, one in enumerate(found["predictions"]):
        assert (one["rejected"] or "") == known["rejected"].iloc[place]
        for name, value in (one["endpoints"] or {}).items():
            got = [value["mean"], value["spread"], value["low"], value["high"]]
            np.testing.assert_allclose(
                got,
                known.loc[place, [name, f"{name}:spread", f"{name}:low", f"{name}:high"]].astype(float),
                rtol=1e-4,
            )
            if "decision" in value:
                assert value["decision"] == known[f"{name}:decision"].iloc[place]
                assert value["label"] == known[f"{name}:label"].iloc[place]
                assert value["flip_probability"] == pytest.approx(known[f"{name}:flip"].iloc[place])


def test_a_number_with_a_cut_off_has_a_decision_and_no_word_for_it(live: Live) -> None:
    number, *_ = (name for name, one in live.endpoints.items() if one["kind"] == "regression")
    params = live.ensemble.about["params"]
    evaluate = params["evaluate"] | {"decide": {number: ">= 0"}}
    ensemble = replace(
        live.ensemble, about={**live.ensemble.about, "params": {**params, "evaluate": evaluate}}
    )
    predicting = Predicting(ensemble, Limits(), 1)
    try:
        rows = predicting.predict([SMILES + "CCO"]).future.result(60)
    finally:
        predicting.close()
    found = answer(replace(live, ensemble=ensemble), RECORDS[:1], rows)
    assert Answer.model_validate(found)
    value = found["predictions"][0]["endpoints"][number]
    assert value["decision"] == int(value["mean"] >= 0)
    assert "label" not in value and 0 <= value["flip_probability"] <= 1


def test_a_molecule_too_large_for_the_graph_is_marked(live: Live) -> None:
    row = live.predicting.predict([SMILES + "CCO"]).future.result(60)[0]
    assert row is not None and row.values is not None
    assert "on_graph" not in prediction(live, RECORDS[0], row)
    marked = row._replace(values={**row.values, "on_graph": False})
    found = prediction(live, RECORDS[0], marked)
    assert Prediction.model_validate(found).on_graph is False


def test_a_training_molecule_says_which_values_are_limits(live: Live) -> None:
    names = list(live.endpoints)
    row = {"smiles": "CCO", **dict.fromkeys(names), f"{names[0]}:relation": ">", names[0]: 100.0}
    found = nearest(replace(live, training=[row]), Nearest(0, 0.5))
    assert found["measured"][names[0]] == 100 and found["relation"][names[0]] == ">"
    assert {found["relation"][name] for name in names[1:]} == {None}


def test_values_of_a_former_archive_without_relations_count_as_measured(live: Live) -> None:
    row = {"smiles": "CCO", **dict.fromkeys(live.endpoints, 1.0)}
    found = nearest(replace(live, training=[row]), Nearest(0, 0.5))
    assert set(found["relation"].values()) == {"="}


@pytest.mark.parametrize("kept", [slice(None), slice(1, 2), slice(0, 0)], ids=["all", "a bad one", "none"])
def test_files_have_the_same_rows(live: Live, kept: slice) -> None:
    texts, records = GIVEN[kept], RECORDS[kept]
    rows = live.predicting.predict([SMILES + text for text in texts]).future.result(60)
    frame = as_frame(live, records, rows)
    known = live.ensemble.predict(texts, cores=1)
    assert list(frame.columns) == ["id", *known.columns]
    assert frame["rejected"].tolist() == known["rejected"].tolist()
    blocks = [
        None if text != text or not text else Chem.MolToMolBlock(Chem.MolFromSmiles(text))
        for text in frame["standardized"].tolist()
    ]
    written = as_sdf(frame, blocks)
    supplier = Chem.SDMolSupplier()
    supplier.SetData(written)
    # RDKit finds a molecule in an empty text
    names = [mol.GetProp("_Name") for mol in supplier] if written else []
    assert names == [record.id for record in records]


def test_a_name_ends_no_record(live: Live) -> None:
    records = [Record("$$$$\n>  <x>", "smiles", "CCO")]
    rows = live.predicting.predict([SMILES + "CCO"]).future.result(60)
    assert (
        as_sdf(as_frame(live, records, rows), [Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))]).count("\n$$$$")
        == 1
    )


def test_answers_are_remembered_and_nothing_waits_for_none(live: Live) -> None:
    first = live.predicting.predict([SMILES + "CCCCO"]).future.result(60)
    assert live.predicting.predict([SMILES + "CCCCO"]).future.result(60)[0] is first[0]
    assert live.predicting.predict(["", ""]).future.result(1) == [None, None]
