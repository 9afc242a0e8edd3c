"""The API: what the ensemble says, whatever is sent, to everybody who asks."""

import io
import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest
from rdkit import Chem

from manywalks.ensemble.model import Ensemble
from manywalks.evaluate.statement.statement import Terms, endpoint_statement
from manywalks.predict.predict import predict_table
from manywalks.serve.live import Live
from tests.support.service import Served, served

PREDICT = "/v1/models/demo/predict"
GOOD = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "CCO"]
NASTY = [
    "not one", "", "[Na+].[Cl-]", "C" * 4000, "C1CC", "c1cccc1", "\u0000", "\U0001f600", "*CC*", "[U]",
    "C[C@H](F)(Cl)(Br)I", "(" * 500, "<script>alert(1)</script>", "../../etc/passwd", "C%99CC", "[" * 99,
]  # fmt: skip


def test_answers_are_those_of_the_ensemble(client: httpx.Client, ensemble: Ensemble) -> None:
    found = client.post(PREDICT, json=GOOD).json()["predictions"]
    known = ensemble.predict(GOOD, cores=1)
    for key, column in (
        ("mean", "logS"),
        ("spread", "logS:spread"),
        ("low", "logS:low"),
        ("bound", "logS:bound"),
    ):
        got = [one["endpoints"]["logS"][key] for one in found]
        np.testing.assert_allclose(got, known[column], rtol=1e-4, atol=1e-5)
    assert [one["in_domain"] for one in found] == known["in_domain"].tolist()
    assert [one["standardized"] for one in found] == known["standardized"].tolist()
    assert found[0]["endpoints"]["logS"]["unit"] == "log10 mol/L"


def test_the_nearest_training_molecule_is_the_most_similar_one(
    client: httpx.Client, ensemble: Ensemble, trained: Path
) -> None:
    found = client.post(PREDICT, json=["CCO"]).json()["predictions"][0]["nearest"]
    known = ensemble.predict([found["smiles"]], cores=1)
    assert known["similarity"].tolist() == [1.0]
    measured = pd.read_parquet(trained / "data/curated.parquet").set_index("smiles")["logS"]
    assert found["measured"]["logS"] == pytest.approx(measured[found["smiles"]], rel=1e-6)
    assert found["relation"] == {"logS": "="}
    assert found["similarity"] == pytest.approx(ensemble.predict(["CCO"], cores=1)["similarity"].iloc[0])


@pytest.mark.parametrize(
    ("route", "sent", "said"),
    [
        ("models/demo/explain", {}, 'smiles: is missing; give {"smiles": "CCOC(=O)c1ccccc1"}'),
        ("models/demo/explain", {"smiles": 5}, "smiles: 5 is not accepted; give {"),
        ("models/demo/explain", ["CCO"], 'the body: ["CCO"] is not accepted; give {'),
        ("models/demo/explain", {"smiles": "C" * 5001}, "smiles: has more than 5000 characters; give {"),
        ("draw", {"smiles": ["C"] * 201}, "smiles: has more than 200 entries; give {"),
        ("draw", {"smiles": ["C", None]}, "smiles.1: null is not accepted; give {"),
        ("models/demo/explain", {"smiles": "C\ud800"}, 'smiles: "C?" is not accepted; give {'),
        (
            "models/demo/predict?format=xml",
            ["CCO"],
            "format: \"xml\" is not accepted; give 'json', 'csv' or 'sdf'",
        ),
    ],
)
def test_a_wrong_body_is_answered_in_one_plain_line(
    client: httpx.Client, route: str, sent: object, said: str
) -> None:
    # httpx itself would not send half a character
    body, form = json.dumps(sent), {"Content-Type": "application/json"}
    found = client.post(f"/v1/{route}", content=body, headers=form)
    assert found.status_code == 422
    assert found.json()["error"].startswith(said)


def test_ids_are_given_back(client: httpx.Client) -> None:
    found = client.post(PREDICT, json=[{"id": "a", "smiles": "CCO"}, "CCN", {"id": 7, "smiles": "C"}]).json()
    assert [one["id"] for one in found["predictions"]] == ["a", "2", "7"]


@pytest.mark.parametrize("smiles", NASTY, ids=range(len(NASTY)))
def test_a_bad_molecule_costs_itself_alone(client: httpx.Client, smiles: str) -> None:
    answer = client.post(PREDICT, json=["CCO", smiles, "CCN"])
    assert answer.status_code == 200
    found = answer.json()["predictions"]
    assert [one["endpoints"] is None for one in found] == [False, True, False]
    assert found[1]["rejected"]


def test_half_a_character_is_no_failure(client: httpx.Client) -> None:
    body = b'[{"id": "\\ud800", "smiles": "C\\udfff"}, "CCO"]'
    answer = client.post(PREDICT, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert [one["rejected"] is None for one in answer.json()["predictions"]] == [False, True]


def test_a_csv_gives_what_the_command_writes(client: httpx.Client, trained: Path, tmp_path: Path) -> None:
    table = tmp_path / "in.csv"
    rows = (trained / "table.csv").read_text().splitlines()[:30]
    table.write_text("\n".join([*rows, "bad,row,with,many,cells,,,", "x,nonsense,,"]))
    predict_table(trained / "models/ensemble", table, tmp_path / "out.csv")
    answer = client.post(
        PREDICT, params={"format": "csv"}, content=table.read_bytes(), headers={"Content-Type": "text/csv"}
    )
    known, found = pd.read_csv(tmp_path / "out.csv"), pd.read_csv(io.StringIO(answer.text))
    pd.testing.assert_frame_equal(found, known, rtol=1e-4)


def test_an_sdf_goes_in_and_out(client: httpx.Client) -> None:
    sdf = "".join(
        f"{name}\n{Chem.MolToMolBlock(Chem.MolFromSmiles(name)).split(chr(10), 1)[1]}$$$$\n" for name in GOOD
    )
    answer = client.post(
        PREDICT, params={"format": "sdf"}, content=sdf, headers={"Content-Type": "chemical/x-mdl-sdfile"}
    )
    supplier = Chem.SDMolSupplier()
    supplier.SetData(answer.text)
    found = [mol.GetProp("_Name") for mol in supplier]
    assert found == GOOD
    assert all(mol.HasProp("logS") for mol in supplier)


def test_a_parquet_file_is_read(client: httpx.Client) -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"smiles": GOOD, "name": list("abcd")}).to_parquet(buffer)
    kind = {"Content-Type": "application/vnd.apache.parquet"}
    found = client.post(PREDICT, content=buffer.getvalue(), headers=kind).json()["predictions"]
    assert [one["id"] for one in found] == list("abcd")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"{", "application/json"),
        (400, b'{"smiles": "CCO"}', "application/json"),
        (400, b"[1]", "application/json"),
        (400, b"[" * 100_000, "application/json"),
        (400, b"a,b\n1,2\n", "text/csv"),
        (400, b"", "text/csv"),
        (400, b"PAR1 not really", "application/vnd.apache.parquet"),
        (415, b"\x1f\x8b\x08\x00aaaa", "text/csv"),
        (415, b"PK\x03\x04aaaa", "text/csv"),
        (415, b"CCO", "text/plain"),
        (413, b"smiles\n" + b"C\n" * 10_001, "text/csv"),
        (413, b"x" * (17 * 2**20), "text/csv"),
    ],
)
def test_a_bad_body_is_refused_in_one_line(
    client: httpx.Client, trained: Path, status: int, body: bytes, kind: str
) -> None:
    answer = client.post(PREDICT, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    (said,) = answer.json().values()
    assert "\n" not in said and "Traceback" not in said
    assert "/tmp" not in said and str(trained) not in said and ".py" not in said


def test_what_is_not_there_is_said(client: httpx.Client) -> None:
    assert client.post("/v1/models/nobody/predict", json=[]).json() == {
        "error": "there is no model 'nobody'; there are demo"
    }
    assert client.get("/nothing").status_code == 404
    assert client.get(PREDICT).status_code == 405
    assert client.get("/static/../app.py").status_code == 404


def test_other_sites_can_neither_ask_nor_show(client: httpx.Client) -> None:
    assert client.get("/v1/models", headers={"Host": "evil.example"}).status_code == 421
    answer = client.options(
        PREDICT, headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert "access-control-allow-origin" not in answer.headers
    assert "frame-ancestors 'none'" in client.get("/").headers["content-security-policy"]


def test_what_is_known_of_the_model(client: httpx.Client, trained: Path) -> None:
    (one,) = client.get("/v1/models").json()["models"]
    assert one["model"] == "demo" and one["endpoints"]["logS"]["unit"] == "log10 mol/L"
    assert one["data_version"] and one["version"] and one["knows_training_molecules"]
    said = client.get("/v1/models/demo/statement").json()
    assert said["sentences"]["logS"].startswith("logS: a retrained ensemble of 4 will agree")
    assert said["statement"]["logS"]["replicates"] == 4
    card = client.get("/v1/models/demo/card").text
    assert card.startswith("# Model card") and "table.csv" not in card
    assert client.get("/health").json()["status"] == "ok"


def test_metrics_count_molecules(client: httpx.Client) -> None:
    def predicted() -> float:
        lines = client.get("/metrics").text.splitlines()
        name = 'manywalks_molecules_total{model="demo",outcome="predicted"}'
        return float(next(line for line in lines if line.startswith(name)).split()[-1])

    client.post(PREDICT, json=["CCO"])
    before = predicted()
    client.post(PREDICT, json=["CCO", "CCN", "no"])
    assert predicted() == before + 2


def test_every_example_of_the_documentation_runs(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    tried = 0
    for path, methods in described["paths"].items():
        for method, about in methods.items():
            content = about.get("requestBody", {}).get("content", {}).get("application/json")
            body = None if content is None else content["example"]
            answer = client.request(method, path.replace("{name}", "demo"), json=body)
            assert answer.status_code == 200, (path, answer.text)
            tried += 1
    assert tried >= 10


def test_many_clients_at_once_get_their_own_answers(client: httpx.Client, ensemble: Ensemble) -> None:
    asked = [[f"{'C' * k}O", f"{'C' * k}N"] for k in range(1, 33)]
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda one: client.post(PREDICT, json=one).json()["predictions"], asked))
    assert [[one["smiles"] for one in answer] for answer in found] == asked
    known = ensemble.predict([text for one in asked for text in one], cores=1)["logS"]
    got = [one["endpoints"]["logS"]["mean"] for answer in found for one in answer]
    np.testing.assert_allclose(got, known, rtol=1e-4, atol=1e-5)


def test_substructures_drawings_neighbours_and_explanations(client: httpx.Client) -> None:
    found = client.post("/v1/substructure", json={"smarts": "c[OX2H]", "smiles": ["CCO", "Oc1ccccc1", "no"]})
    assert found.json() == {"matches": [False, True, None]}
    assert client.post("/v1/substructure", json={"smarts": "c[", "smiles": ["CCO"]}).status_code == 422
    drawn = client.post("/v1/draw", json={"smiles": ["CCO", "no", "C" * 500]}).json()["drawings"]
    assert drawn[0].startswith("<svg") and drawn[1:] == [None, None]
    near = client.post("/v1/models/demo/neighbours", json={"smiles": "CCO"}).json()["neighbours"]
    similar = [one["similarity"] for one in near]
    assert len(near) == 8 and similar == sorted(similar, reverse=True)


def test_an_explanation_is_that_of_the_command(client: httpx.Client, ensemble: Ensemble) -> None:
    from manywalks.ensemble.explain import explain

    found = client.post("/v1/models/demo/explain", json={"smiles": "CCOC(=O)c1ccccc1"}).json()
    known = explain(ensemble, "CCOC(=O)c1ccccc1").atoms()
    got = pd.DataFrame(found["atoms"])
    np.testing.assert_allclose(got["contribution"], known["contribution"], atol=1e-4)
    assert got["trusted"].tolist() == known["trusted"].tolist()
    assert found["svg"].startswith("<svg")


@pytest.fixture(scope="module")
def strict(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a token and small limits."""
    folder = tmp_path_factory.mktemp("strict")
    (folder / "token").write_text("secret\n")
    limits = ("--max-rows", "400", "--max-waiting", "400", "--max-mib", "0.1", "--max-seconds", "30")
    with served(
        folder, f"demo={trained / 'models/ensemble'}", *limits, "--token-file", str(folder / "token")
    ) as one:
        yield one


def test_a_token_is_asked_for(strict: Served) -> None:
    for sent in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": ""}):
        with strict.client(**sent) as client:
            assert client.post(PREDICT, json=["CCO"]).status_code == 401
            assert client.get("/metrics").status_code == 401
            assert client.get("/health").status_code == 200
    with strict.client(Authorization="Bearer secret") as client:
        assert client.post(PREDICT, json=["CCO"]).status_code == 200


def test_a_full_queue_says_when_to_come_back(strict: Served) -> None:
    with strict.client(Authorization="Bearer secret") as client, ThreadPoolExecutor(4) as pool:
        lots = [["C" * (3 + k % 40) + f"C({'C' * (k // 40 + lot)})O" for k in range(399)] for lot in range(4)]
        found = list(pool.map(lambda lot: client.post(PREDICT, json=lot), lots))
    statuses = sorted(one.status_code for one in found)
    assert statuses[0] == 200 and statuses[-1] == 429
    refused = next(one for one in found if one.status_code == 429)
    assert int(refused.headers["Retry-After"]) >= 1


def test_limits_on_rows_and_size_hold(strict: Served) -> None:
    with strict.client(Authorization="Bearer secret") as client:
        assert client.post(PREDICT, json=["C"] * 401).status_code == 413
        assert client.post(PREDICT, json=["C" * 200_000]).status_code == 413
        # without a Content-Length the bytes are counted
        pieces = (b"C" * 60_000 for _ in range(3))
        assert client.post(PREDICT, content=pieces, headers={"Content-Type": "text/csv"}).status_code == 413


def test_it_ends_once_all_is_answered_and_leaves_no_worker(trained: Path, tmp_path: Path) -> None:
    with served(tmp_path, f"demo={trained}") as running, running.client() as client:
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert len(children) >= 3
        with ThreadPoolExecutor(1) as pool:
            lot = ["C" * (3 + k % 40) + f"C({'C' * (k // 40)})N" for k in range(800)]
            answer = pool.submit(client.post, PREDICT, json=lot)
            threading.Event().wait(0.5)
            running.process.send_signal(signal.SIGTERM)
            assert answer.result().status_code == 200
            assert len(answer.result().json()["predictions"]) == 800
        assert running.process.wait(30) == 0
        assert psutil.wait_procs(children, timeout=5)[1] == []
        assert "all requests were answered" in running.complaints.read_text()


def test_a_model_of_a_version_without_verdicts_says_no_accuracy() -> None:
    old = SimpleNamespace(
        companions=SimpleNamespace(metrics={"logS": {"n_test": 40}}),
        ensemble=SimpleNamespace(endpoints={"logS": {}, "logD": {}}),
    )
    assert Live.accuracy.fget(old) == {}  # pyright: ignore[reportOptionalCall]


def test_a_statement_over_thousands_of_molecules_does_not_say_these() -> None:
    """Nobody who asks the service sees which ones "these" are."""
    replicates = np.random.default_rng(0).normal(size=(8, 1300))
    statement = endpoint_statement(replicates, replicates.mean(axis=0), Terms("regression", "nM", 1.0))
    one = SimpleNamespace(
        companions=SimpleNamespace(statement={"logS": statement}),
        ensemble=SimpleNamespace(endpoints={"logS": {}}),
    )
    (said,) = Live.promises.fget(one).values()  # pyright: ignore[reportOptionalCall]
    assert "over 1,300 molecules that it was not trained on" in said
    assert "these" not in said
