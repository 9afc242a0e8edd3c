"""What worker processes do with one molecule to be predicted: standardize it, then featurize it.

Both are one request, and in a process that can be ended, so that a molecule that hangs or crashes RDKit at
either costs its own row.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from rdkit import Chem, rdBase

from manywalks.chemistry.standardize import standardize_and_read
from manywalks.featurize.molecule import Failure, FeatureRow, featurize_molecule, read_blocks
from manywalks.params.sections.curate import CurateParams
from manywalks.runtime.worker_pool import Lost, WithBytes

SMILES, BLOCK = "s", "b"


"""First letter of a text: what follows it."""


# standard forms whose features a worker still knows: one molecule is often written in several ways, close by
REMEMBERED = 1024


class Standard(NamedTuple):
    """A molecule as SMILES, its standard form or None, and why it is not predicted ("reason: sentence")."""

    smiles: str
    standardized: str | None
    rejected: str


class Arrived(NamedTuple):
    """What became of a text: its standard form, and its features where it has some."""

    standard: Standard
    features: FeatureRow | None


def worker(given: dict[str, Any]) -> Callable[[str], Any]:
    """What a worker process applies to each text, a `SMILES` or a `BLOCK`; `given` is `worker_setup`."""
    curate = CurateParams.model_validate(given["curate"])
    blocks = read_blocks(given["blocks"])
    known: OrderedDict[str, FeatureRow | Failure] = OrderedDict()

    def one(text: str) -> Any:
        standard, mol = _standardized(text[1:], curate, is_block=text[0] == BLOCK)
        if standard.standardized is None:
            return standard
        found = known.get(standard.standardized)
        if found is None:
            found = featurize_molecule(standard.standardized, blocks, mol=mol)
            known[standard.standardized] = found
        if len(known) > REMEMBERED:
            known.popitem(last=False)
        if isinstance(found, Failure):
            return standard._replace(rejected=f"{found.reason}: {found.detail}")
        return WithBytes(standard, found.to_bytes())

    return one


def _standardized(text: str, curate: CurateParams, *, is_block: bool) -> tuple[Standard, Chem.Mol | None]:
    """Of a SMILES or a molecule block, and what RDKit reads in the standard form where it has read it."""
    if is_block:
        # takes pandas along, 0.3 s, which a worker needs for nothing else
        from manywalks.chemistry.sdf import block_smiles

        with rdBase.BlockLogs():
            try:
                text = block_smiles(text)
            # RDKit's reader of blocks raises C++ exceptions of many kinds
            except Exception as error:
                said = " ".join(str(error).split())
                fault = f"unparsable: molecule block: {type(error).__name__}: {said}"
                return Standard("", None, fault), None
    found, mol = standardize_and_read(text, curate)
    if found.smiles is None:
        return Standard(text, None, f"{found.reason}: {found.detail}"), None
    return Standard(text, found.smiles, ""), mol


def arrived(outcome: Any, text: str, limit: float) -> Arrived:
    """A worker's outcome, or the rejection that a lost one is; `limit` is curate.time_limit."""
    if isinstance(outcome, Lost):
        return Arrived(Standard(text[1:] if text[0] == SMILES else "", None, _lost(outcome, limit)), None)
    if isinstance(outcome, WithBytes):
        return Arrived(Standard(*outcome.value), FeatureRow.from_bytes(outcome.content))
    return Arrived(Standard(*outcome), None)


def _lost(outcome: Lost, limit: float) -> str:
    """Why a text has no outcome."""
    if outcome.reason == "timeout":
        return f"timeout: took longer than {2 * limit:g} s (twice curate.time_limit of the model)"
    return "crashed: ended its process twice"
