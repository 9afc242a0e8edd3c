"""Write params.yaml: the demo's own settings, and what init writes for every other key."""

from pathlib import Path

from manywalks.params.load import parse_params
from manywalks.params.presets import with_preset
from manywalks.params.render import render

FILE = Path(__file__).resolve().parent.parent / "params.yaml"
HEAD = "What the pipeline does, one section a step. docs/params.md lists every key."
DEMO = {
    "data": {
        "path": "data/raw/solubility.csv",
        "id": "id",
        "endpoints": {"logS": {"kind": "regression", "unit": "log10 mol/L"}},
    },
    "split": {"method": "column", "column": "part"},
    "replicates": {"tolerance": "0.02 sd"},
    "report": {"title": "Aqueous solubility"},
}


def text() -> str:
    """The file."""
    return render(with_preset(parse_params(DEMO, source="the demo")), HEAD)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
