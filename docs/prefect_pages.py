"""Pictures of a refresh in Prefect's pages, for docs/schedules.md: a real server, run and browser.

    .venv/bin/python -m docs.prefect_pages

Takes some minutes; wants Chromium (Debian: apt-get install chromium). Writes docs/images/prefect-*.png.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.support.chromium import Browser, browser, executable
from tests.support.prefect_server import Server

REPOSITORY = Path(__file__).resolve().parent.parent
IMAGES = REPOSITORY / "docs/images"
PARAMS = """
data:
  path: table.csv
  id: id
  endpoints:
    logS: {kind: regression, unit: log10 mol/L}
featurize:
  blocks: [{kind: morgan_count, n_bits: 1024}, {kind: physchem}]
split: {method: random, test: 0.2, valid: 0.2}
network: {widths: [128, 64]}
train: {epochs: 40}
replicates: {count: 12}
"""
# a window's size, and the words by which a page is known to be complete
WIDTH, HEIGHT, PATIENCE_S = 1280, 800, 60


def main() -> None:
    """Run a refresh against a server of its own and take the pictures."""
    if executable() is None:
        raise SystemExit("no Chromium here; on Debian: apt-get install chromium")
    server = Server()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            api = server.url()
            refresh(Path(folder) / "solubility", api)
            for line in ("work-pool create manywalks --type process", "--no-prompt deploy --all"):
                do([program("prefect"), *line.split()], api)
            with browser(Path(folder) / "profile") as page:
                for name, (where, words) in pages(api).items():
                    show(page, f"{api.removesuffix('/api')}{where}", words, click=name == "artifacts")
                    (IMAGES / f"prefect-{name}.png").write_bytes(page.picture())
        finally:
            server.stop()


def refresh(work: Path, api: str) -> None:
    """A workspace of the demo's table: two refreshes, the first with two thirds of the molecules."""
    work.mkdir()
    do([program("dvc"), "pull", "data/raw/solubility.csv.dvc"], api)
    lines = (REPOSITORY / "data/raw/solubility.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (work / "params.yaml").write_text(PARAMS, encoding="utf-8")
    for known in (lines[:1] + [line for number, line in enumerate(lines[1:]) if number % 3], lines):
        (work / "table.csv").write_text("".join(known), encoding="utf-8")
        do([program("manywalks"), "refresh", "--workspace", str(work)], api)


def pages(api: str) -> dict[str, tuple[str, str]]:
    """What is to be seen: name -> (address, words that the complete page holds)."""
    # the newest of each
    artifacts = {one["key"]: one for one in sorted(ask(api, "artifacts"), key=lambda one: one["created"])}
    child = artifacts["solubility-model"]["flow_run_id"]
    deployment = next(one for one in ask(api, "deployments") if one["name"] == "refresh")
    wanted = {"filter": {"event": {"name": ["prefect.asset.materialization.succeeded"]}}}
    made = httpx.post(f"{api}/events/filter", json=wanted).raise_for_status().json()["events"]
    model = next(one for one in made if one["resource"]["prefect.resource.name"] == "model")
    return {
        "artifacts": (f"/runs/flow-run/{child}", "Artifacts"),
        "model": (f"/artifacts/artifact/{artifacts['solubility-model']['id']}", "retrained ensemble"),
        "refresh": (f"/artifacts/artifact/{artifacts['solubility-refresh']['id']}", "Drift"),
        "asset": (f"/events/event/{model['occurred'][:10]}/{model['id']}", "models/ensemble"),
        "form": (f"/deployments/deployment/{deployment['id']}/run", "Workspace"),
    }


def ask(api: str, kind: str) -> list[dict[str, Any]]:
    """All objects of a kind, read over the API."""
    answer = httpx.post(f"{api}/{kind}/filter", json={})
    answer.raise_for_status()
    return answer.json()


def show(page: Browser, address: str, words: str, *, click: bool) -> None:
    """Open a page, wait until it holds the words, click on them where asked, wait until it holds still."""
    page.call(
        "Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False
    )
    page.call("Page.navigate", url=address)
    deadline = time.monotonic() + PATIENCE_S
    while words not in str(page.ask("document.body ? document.body.innerText : ''")):
        if time.monotonic() > deadline:
            raise SystemExit(f"{address}: {words!r} did not appear within {PATIENCE_S} s")
        time.sleep(0.2)
    if click:
        page.ask(
            "[...document.querySelectorAll('*')].find("
            f"e => !e.children.length && e.textContent.trim() == {words!r}).click()"
        )
    before = b""
    while before != (now := page.picture()) and time.monotonic() < deadline:
        before = now
        time.sleep(3)


def program(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).with_name(name))


def do(arguments: list[str], api: str) -> None:
    """A command against the server that must end well."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        arguments, cwd=REPOSITORY, check=True, env={**os.environ, "PATH": path, "PREFECT_API_URL": api}
    )


if __name__ == "__main__":
    main()
