"""What a search leaves: reports/tune.json, reports/tune.html, and params.tuned.yaml where it earned that."""

from pathlib import Path
from typing import Any

import numpy as np

from manywalks import files
from manywalks.report.html import links_to
from manywalks.tune.report.importance import importance
from manywalks.tune.report.page import page
from manywalks.tune.report.words import head
from manywalks.tune.result import result
from manywalks.tune.search import Search
from manywalks.tune.space.written import NAME, earlier, train_command, write_tuned
from manywalks.tune.verdict import Contest


def finished(search: Search, contest: Contest | None, written: str = "") -> dict[str, Any]:
    """Judge, write the reports; returns what reports/tune.json holds. `written` is a date."""
    workspace = search.material.workspace
    found = result(search, None if contest is None else contest.result())
    # the drawing of trials is no part of the replicates' randomness
    found["importance"] = importance(search.space.keys, found["trials"], np.random.default_rng(0))
    better = contest is not None and found["verdict"]["word"] in ("better", "cheaper")
    target = workspace.root / NAME
    found["earlier"] = earlier(target)
    found["written"] = NAME if better else None
    found["train"] = train_command(workspace.root, Path.cwd()) if better else None
    if contest is not None and better:
        write_tuned(workspace.params_file, contest.winner, target, head(found, written))
    files.write_json(workspace.reports / "tune.json", found)
    links = links_to(workspace.reports, "report.html", "compare.html")
    files.write_text(workspace.reports / "tune.html", page(found, written, links))
    return found
