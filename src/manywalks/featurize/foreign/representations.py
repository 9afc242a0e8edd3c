"""Which foreign features a model uses: where they lie, their versions, what they were trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manywalks.featurize.foreign.minimol import INFLATED, TRAINED_ON
from manywalks.params.sections.block_sources import FUNCTIONS, located, what_is
from manywalks.params.sections.model import FeatureBlock

UNKNOWN = (
    "what it was trained on is not known here; measurements of this table among that would inflate its scores"
)


def usable(about: dict[str, Any], model: Path) -> dict[str, Any]:
    """A manifest whose blocks can be used here: their files found, their versions those of the model.

    Files are looked for in the workspace that holds the model, else in the current folder.
    """
    featurize = about["params"]["featurize"]
    blocks = [FeatureBlock.model_validate(block) for block in featurize["blocks"]]
    above = model.resolve().parents
    found = located(blocks, next((folder for folder in above if (folder / "params.yaml").is_file()), Path()))
    check_versions(about.get("representations", []), found, model)
    dumped = [block.model_dump(mode="json") for block in found]
    return {**about, "params": {**about["params"], "featurize": {**featurize, "blocks": dumped}}}


def recorded(blocks: Sequence[FeatureBlock]) -> list[dict[str, Any]]:
    """What the manifest says of each foreign block: name, version, content, and what it was trained on."""
    return [
        {**source._asdict(), "said": f"{TRAINED_ON}; {INFLATED}" if source.kind == "minimol" else UNKNOWN}
        for block in blocks
        if (source := what_is(block)) is not None
    ]


def check_versions(wanted: Sequence[dict[str, Any]], blocks: Sequence[FeatureBlock], where: Path) -> None:
    """Refuse functions of another version than the model's.

    A table may have changed: molecules to be predicted need rows in it.
    """
    here = [one for block in blocks if block.kind in FUNCTIONS for one in recorded([block])]
    for then, now in zip([one for one in wanted if one["kind"] in FUNCTIONS], here, strict=True):
        if then["version"] != now["version"]:
            raise ValueError(
                f"{where}: was trained with {then['name']} of {then['version'] or 'no package'}, this is "
                f"{now['version'] or 'no package'}; install that version or train again"
            )
        if then["sha256"] != now["sha256"]:
            raise ValueError(
                f"{where}: {now['name']} is not the file that the model was trained with (sha256 "
                f"{then['sha256'][:12]}, here {now['sha256'][:12]}); restore it or train again"
            )
