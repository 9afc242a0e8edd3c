"""Deployments: prefect.yaml fits the flows, and a scheduled refresh happens on a real server and worker."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest
import yaml

from tests.conftest import REPOSITORY, command
from tests.runtime.test_dask import free_port
from tests.support.prefect_server import server

DEPLOYMENTS = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_a_deployment_names_a_flow_that_takes_its_parameters(deployment: dict[str, Any]) -> None:
    path, name = deployment["entrypoint"].split(":")
    flow = getattr(importlib.import_module(f"manywalks.{path.removesuffix('.py').replace('/', '.')}"), name)
    assert flow.validate_parameters(deployment["parameters"])
    assert flow.name.replace("_", "-")
    assert deployment["work_pool"] == {"name": "manywalks"}


def test_refresh_is_scheduled_in_a_time_zone_one_at_a_time() -> None:
    refresh = next(one for one in DEPLOYMENTS if one["name"] == "refresh")
    assert refresh["schedules"][0]["cron"] and refresh["schedules"][0]["timezone"]
    assert refresh["concurrency_limit"]["limit"] == 1


@pytest.mark.parametrize("job", [{"workspace": ".", "push": "often"}, {"wrokspace": "."}, {"wait": -1}])
def test_a_bad_parameter_is_refused_before_anything_runs(job: dict[str, Any]) -> None:
    from prefect.exceptions import ParameterTypeError

    from manywalks.flows.refresh import refresh

    with pytest.raises(ParameterTypeError):
        refresh.validate_parameters({"job": job})


class Webhook(HTTPServer):
    """A server that keeps what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keep)
        self.heard: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Keep(BaseHTTPRequestHandler):
    """Keeps one post."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))  # pyright: ignore[reportAttributeAccessIssue]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A webhook of this machine."""
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_hook_posts_what_happened_and_never_fails_a_run(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manywalks.pipeline.runs import webhook as sender

    monkeypatch.setattr(sender.Variable, "get", lambda name, default=None: webhook.url)
    sender.on_better({"challenger": "b", "reason": "logS better"})
    assert webhook.heard == [
        {
            "event": "better model",
            "text": "manywalks: b is the new champion (logS better)",
            "about": {"challenger": "b", "reason": "logS better"},
        }
    ]
    monkeypatch.setattr(sender.Variable, "get", lambda name, default=None: "http://127.0.0.1:9/closed")
    assert not sender.post("failure", "x", {})
    monkeypatch.setattr(sender.Variable, "get", lambda name, default=None: None)
    assert not sender.post("failure", "x", {})


def test_a_flow_that_fails_tells_the_webhook_which_and_why(webhook: Webhook, small: Path) -> None:
    # what needs no flow to be seen, such as a missing table, is refused before one starts
    (small / "table.csv").write_text("id,smiles,logS\n1,xx,1\n", encoding="utf-8")
    api = server.url()
    known = {"name": "manywalks_webhook", "value": webhook.url}
    httpx.post(f"{api}/variables/", json=known).raise_for_status()
    try:
        done = command("train", "--workspace", str(small))
    finally:
        httpx.delete(f"{api}/variables/name/manywalks_webhook").raise_for_status()
    assert done.returncode == 2, done.stdout + done.stderr
    (heard,) = webhook.heard
    assert heard["event"] == "failure"
    assert "manywalks: train" in heard["text"] and "table.csv" in heard["text"]
    assert heard["about"]["flow"] == "train"


def test_a_flow_inside_another_leaves_telling_to_it(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manywalks.pipeline.runs import webhook as sender

    monkeypatch.setattr(sender.Variable, "get", lambda name, default=None: webhook.url)
    flow, state = SimpleNamespace(name="train"), SimpleNamespace(name="Failed", message="why")
    sender.on_failure(flow, SimpleNamespace(name="a", parent_task_run_id="b"), state)
    assert webhook.heard == []
    sender.on_failure(flow, SimpleNamespace(name="a", parent_task_run_id=None), state)
    assert [one["event"] for one in webhook.heard] == ["failure"]


class Prefect:
    """A real server, and commands of its command line."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.api = f"http://127.0.0.1:{port}/api"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }
        self.start("server", "start", "--port", str(port), "--no-ui")
        self.wait(lambda: httpx.get(f"{self.api}/health").status_code == 200, 180)

    def start(self, *arguments: str) -> None:
        """Start a command of Prefect's that goes on."""
        with (self.folder / f"{arguments[0]}.txt").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    ["prefect", *arguments], env=self.environment, cwd=self.folder, stdout=log, stderr=log
                )
            )

    def run(self, *arguments: str, cwd: Path) -> str:
        """A command of Prefect's that ends."""
        done = subprocess.run(
            ["prefect", "--no-prompt", *arguments], env=self.environment, cwd=cwd, text=True,
            capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the API answers to a filter."""
        answer = httpx.post(f"{self.api}/{path}/filter", json=body or {})
        answer.raise_for_status()
        return answer.json()

    def wait(self, condition: Any, seconds: float) -> None:
        """Wait until a condition holds; what is not there yet is no failure."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.5)

    def end(self) -> None:
        """End what was started with all that it started: a worker would first let its runs end."""
        for process in self.processes:
            below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.kill()
            process.wait()
            for child in below:
                with suppress(psutil.NoSuchProcess):
                    child.kill()


@pytest.fixture
def prefect(tmp_path: Path) -> Iterator[Prefect]:
    """A server, a work pool and a worker."""
    server = Prefect(tmp_path)
    yield server
    server.end()


@pytest.mark.long
def test_a_scheduled_refresh_runs_and_its_state_and_artifacts_are_in_the_api(
    prefect: Prefect, trained: Path, tmp_path: Path, webhook: Webhook
) -> None:
    work = tmp_path / "work"
    shutil.copytree(trained, work)
    prefect.run("work-pool", "create", "manywalks", "--type", "process", cwd=tmp_path)
    prefect.run("variable", "set", "manywalks_webhook", webhook.url, cwd=tmp_path)
    prefect.run("deploy", "--all", cwd=REPOSITORY)
    deployments = {one["name"]: one for one in prefect.ask("deployments")}
    assert set(deployments) == {"refresh", "train", "predict", "reproduce"}
    assert deployments["refresh"]["schedules"][0]["schedule"]["timezone"]
    assert "job" in deployments["refresh"]["parameter_openapi_schema"]["properties"]
    _soon(prefect, deployments["refresh"]["id"], str(work))
    prefect.start("worker", "start", "--pool", "manywalks")
    prefect.wait(lambda: _states(prefect).get("COMPLETED") or _states(prefect).get("FAILED"), 420)
    log = (prefect.folder / "worker.txt").read_text(encoding="utf-8", errors="replace")
    assert _states(prefect).get("COMPLETED"), log[-4000:]
    keys = {one["key"] for one in prefect.ask("artifacts")}
    assert {"work-model", "work-refresh", "work-replicates"} <= keys
    assert (work / "models/champion/model.keras").is_file()
    assert [one["event"] for one in webhook.heard] == ["better model"]


def _soon(prefect: Prefect, deployment: str, work: str) -> None:
    """Replace the nightly schedule by one every minute, in the test's workspace."""
    for schedule in httpx.get(f"{prefect.api}/deployments/{deployment}/schedules").json():
        httpx.delete(f"{prefect.api}/deployments/{deployment}/schedules/{schedule['id']}").raise_for_status()
    httpx.patch(
        f"{prefect.api}/deployments/{deployment}",
        json={"parameters": {"job": {"workspace": work, "push": False, "wait": 60}}},
    ).raise_for_status()
    httpx.post(
        f"{prefect.api}/deployments/{deployment}/schedules",
        json=[{"schedule": {"interval": 20}, "active": True}],
    ).raise_for_status()


def _states(prefect: Prefect) -> dict[str, int]:
    """How many refresh runs are in each state."""
    found: dict[str, int] = {}
    for run in prefect.ask("flow_runs", {"flows": {"name": {"any_": ["refresh"]}}}):
        found[run["state_type"]] = found.get(run["state_type"], 0) + 1
    return found
