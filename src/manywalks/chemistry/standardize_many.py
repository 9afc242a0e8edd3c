"""Many SMILES, each to its standard parent or the reason why not: on all cores, within a time limit."""

from collections.abc import Callable, Sequence
from typing import Any

from manywalks.chemistry.standardize import Standardized, standardize_one
from manywalks.params.sections.curate import CurateParams
from manywalks.runtime.worker_pool import Lost, map_texts

# up to so many, starting worker processes takes longer than the work
FEW = 500
# characters; the slowest of 7,600 nasty and real structures up to here took 22 ms, so none needs to be ended
TAME = 150


def worker(setup: dict[str, Any]) -> Callable[[str], Standardized]:
    """What a worker process applies to each SMILES; `setup` is the curate section as JSON."""
    params = CurateParams.model_validate(setup)
    return lambda smiles: standardize_one(smiles, params)


def standardize_smiles(
    smiles: Sequence[str],
    params: CurateParams,
    *,
    cores: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Standardized]:
    """Standardize n SMILES, each within params.time_limit seconds, in input order.

    A SMILES that stands more than once is standardized once. Few and small ones are done in this process.
    """
    unique = list(dict.fromkeys(smiles))
    if len(unique) <= FEW and all(_is_tame(text, params) for text in unique):
        outcomes = [standardize_one(text, params) for text in unique]
        if progress is not None:
            progress(len(unique), len(unique))
    else:
        setup = params.model_dump(mode="json")
        limit = params.time_limit
        target = f"{__name__}:worker"
        done = map_texts(target, setup, unique, cores=cores, limit=limit, progress=progress)
        outcomes = [_arrived(outcome, limit) for outcome in done]
    known = dict(zip(unique, outcomes, strict=True))
    return [known[text] for text in smiles]


def _is_tame(smiles: str, params: CurateParams) -> bool:
    """Whether a SMILES can be trusted not to hang this process."""
    return len(smiles) <= TAME and params.tautomers == "keep"


def _arrived(outcome: Any, limit: float) -> Standardized:
    """A worker's outcome, or the rejection that a lost one is."""
    if isinstance(outcome, Lost):
        said = f"took longer than {limit:g} s" if outcome.reason == "timeout" else "ended its process twice"
        return Standardized(None, outcome.reason, said)
    return Standardized(*outcome)
