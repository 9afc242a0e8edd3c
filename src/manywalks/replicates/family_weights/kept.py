"""models/replicates/weights.json: the fitted weights of the families, for all steps after the training."""

from pathlib import Path
from typing import Any

from manywalks import files
from manywalks.params.load import Params
from manywalks.replicates.statistics.mixing import Mixing

FILE = "weights.json"


def are_fitted(params: Params) -> bool:
    """Whether the weights of these families are fitted: one alone has none."""
    return params.weights == "out_of_fold" and len(params.families) > 1


def made_for(key: str, params: Params) -> dict[str, Any]:
    """What the weights depend on: the inputs called `key`, and how families are averaged."""
    return {
        "inputs": key,
        "given": {family.name: family.weight for family in params.families},
        "class_average": params.ensemble.class_average,
    }


def write(folder: Path, made_for: dict[str, Any], endpoints: dict[str, Any]) -> None:
    """Keep the weights in the replicates' folder."""
    files.write_json(folder / FILE, {"made_for": made_for, "endpoints": endpoints})


def read(folder: Path, key: str, params: Params) -> dict[str, Any] | None:
    """By endpoint what was fitted; None where nothing was, or for other inputs."""
    try:
        content = files.read_json(folder / FILE)
    except ValueError:  # not there, or damaged: the training writes it again
        return None
    return content["endpoints"] if content.get("made_for") == made_for(key, params) else None


def read_mixing(folder: Path, key: str, params: Params) -> Mixing | None:
    """How the families are averaged with the kept weights; None where there are none for these inputs."""
    fitted = read(folder, key, params)
    if fitted is None:
        return None
    shares = tuple(
        tuple(float(fitted[name]["weights"][family.name]) for name in params.data.endpoints)
        for family in params.families
    )
    return Mixing(params.ensemble.class_average == "logit", shares)
