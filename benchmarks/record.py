"""Does a record warn when it should, and only then? Simulated years of 250 nights on a table with dates.

    python -m benchmarks.record            about ten minutes on two cores
    python -m benchmarks.record --quick    a twentieth of the years, nothing written

An ensemble is trained on the oldest measurements of a ChEMBL table (MAO-A), and the later ones come in order
of time over 250 nights, with their real series. What is simulated are the errors: drawn from those that the
real ensemble made there, with as much in common within a series, so that nothing but chance is wrong with
them. A new champion comes every 25 nights; its intervals are fitted on as many molecules as the real one's.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.experiments import main, on_all_cores, wilson
from benchmarks.pools import DATA, ENTROPY, KEPT
from benchmarks.results import table
from manywalks import files
from manywalks.data.curate import curate_table
from manywalks.ensemble.intervals import calibration
from manywalks.featurize.featurize import featurize
from manywalks.params.load import parse_params
from manywalks.params.sections.families import Family
from manywalks.record.prospective import series_of
from manywalks.record.warnings import Measured, Warned, warned
from manywalks.split.split import split_molecules
from manywalks.tables.frame import read_table
from manywalks.train.engines import train_pack
from manywalks.train.prepare import out_of_sample, prepare
from manywalks.train.problem import Pack

TABLE = DATA / "assay/chembl_raw_maoa_human_ic50.csv"
PATH = KEPT / "MAO-A-dates.npz"
REPLICATES, NIGHTS, OF_A_CHAMPION, DRIFT, COVERAGE = 16, 250, 25, 125, 0.9
YEARS = 200
PARAMS: dict[str, Any] = {
    "data": {
        "path": TABLE.name,
        "smiles": "Smiles",
        "where": {"Data Validity Comment": [""], "Potential Duplicate": ["0"]},
        "endpoints": {
            "y": {
                "column": "Standard Value",
                "unit": "pIC50",
                "unit_column": "Standard Units",
                "relation_column": "Standard Relation",
                "transform": "p",
            }
        },
    },
    "featurize": {"blocks": [{"kind": "morgan_count"}, {"kind": "rdkit2d"}]},
    "split": {"method": "time", "column": "Document Year", "test": 0.6, "valid": 0.1},
    "network": {"widths": [128, 64]},
    "train": {"epochs": 30},
}


class Assay(NamedTuple):
    """What came after the model: n measurements in order of time.

    Attributes:
        scaled: errors over the predicted standard deviation (n,).
        sd: predicted standard deviation (n,), in pIC50.
        series: numbers (n,); of the valid molecules `valid` (v,).
        within: bool (n,), of the real intervals.
        common: share of the errors' variance that a series has in common.
        spread, repeats: standard deviation of all values, and of repeated measurements, in pIC50.
    """

    scaled: np.ndarray
    sd: np.ndarray
    series: np.ndarray
    valid: np.ndarray
    within: np.ndarray
    common: float
    spread: float
    repeats: float


def assay() -> Assay:
    """The real ensemble's errors, trained at first."""
    if not PATH.is_file():
        files.write_npz(PATH, _train())
    kept = files.read_npz(PATH)
    valid, time = kept["valid"], kept["time"]
    mean, spread = kept["replicates"].mean(axis=0), kept["replicates"].std(axis=0, ddof=1)
    error = kept["observed"] - mean
    fitted = calibration.fit(error[valid], np.zeros(valid.sum()), spread[valid], "regression")
    low, high = fitted.interval(np.zeros(error.size), spread, COVERAGE)
    later = np.flatnonzero(~valid)[np.argsort(time[~valid], kind="stable")]
    scaled = error[later] / fitted.predicted_sd(spread[later])
    series = kept["series"]
    return Assay(
        scaled,
        fitted.predicted_sd(spread[later]),
        series[later],
        series[valid],
        (low[later] <= error[later]) & (error[later] <= high[later]),
        in_common(scaled, series[later]),
        float(kept["observed"].std()),
        float(kept["repeats"]),
    )


def in_common(values: np.ndarray, series: np.ndarray) -> float:
    """The share of the variance that is between series, among those of two molecules or more."""
    several = np.bincount(series)[series] > 1
    _, own, sizes = np.unique(series[several], return_inverse=True, return_counts=True)
    kept = values[several]
    means = np.bincount(own, kept) / sizes
    inside = np.sum((kept - means[own]) ** 2) / (kept.size - sizes.size)
    return float(1 - inside / kept.var(ddof=1))


def _train() -> dict[str, np.ndarray]:
    """Curate, featurize, split by year, train; predictions of what was measured exactly after training."""
    params = parse_params(PARAMS)
    curated = curate_table(read_table(TABLE), params).molecules
    subsets = split_molecules(curated, params.split)
    features = featurize(curated["smiles"].tolist(), params.featurize.blocks)
    prepared = prepare(curated, features, subsets, Family("", params))
    found = [
        prepared.transform.inverse(one.predictions)[:, 0]
        for one in train_pack(Pack(prepared.problem, range(REPLICATES), ENTROPY))
    ]
    out = curated.iloc[np.flatnonzero(out_of_sample(subsets))].reset_index(drop=True)
    observed = out["y"].to_numpy(dtype=np.float64)
    exact = np.flatnonzero(np.isfinite(observed) & (out["y:relation"] == "=").to_numpy())
    spread = curated["y:repeat_sd"].to_numpy(dtype=np.float64)
    return {
        "replicates": np.stack(found)[:, exact],
        "observed": observed[exact],
        "time": out["split:time"].to_numpy(dtype=np.float64)[exact],
        "valid": subsets[out_of_sample(subsets)][exact] == "valid",
        "series": pd.factorize(series_of(out["smiles"].iloc[exact].tolist()))[0],
        "repeats": np.sqrt(np.nanmean(spread**2)),
    }


def errors(real: Assay, series: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scaled errors (n,) like the real ones, symmetric about zero, with as much in common in a series."""
    common = rng.standard_normal(series.max() + 1)[series]
    normal = np.sqrt(real.common) * common + np.sqrt(1 - real.common) * rng.standard_normal(series.size)
    return np.quantile(np.concatenate([real.scaled, -real.scaled]), stats.norm.cdf(normal))


def year(real: Assay, copies: int, alone: bool, drift: float, rng: np.random.Generator) -> list[Warned]:
    """The warnings of one simulated year.

    Args:
        copies: how many such assays come together.
        alone: whether every molecule is taken for a series of its own.
        drift: added to all measurements from night DRIFT on, in pIC50.
    """
    n = real.series.size
    night = np.repeat(np.arange(n) * NIGHTS // n, copies)
    series = (real.series[:, None] + np.arange(copies) * (real.series.max() + 1)).ravel()
    sd = np.repeat(real.sd, copies)
    scaled, half = np.empty(night.size), np.empty(night.size)
    for champion in range(NIGHTS // OF_A_CHAMPION):
        own = np.flatnonzero(night // OF_A_CHAMPION == champion)
        scaled[own] = errors(real, series[own], rng)
        fitted = np.sort(np.abs(errors(real, real.valid, rng)))
        half[own] = fitted[int(np.ceil((fitted.size + 1) * COVERAGE)) - 1]
    scaled += drift / sd * (night >= DRIFT)
    return warned(measured(real, night, np.arange(n * copies) if alone else series, scaled, sd, half))


def measured(
    real: Assay, night: np.ndarray, series: np.ndarray, scaled: np.ndarray, sd: np.ndarray, half: np.ndarray
) -> Measured:
    """A record of these nights, every one a day after the last but for a weekend."""
    days = np.arange(NIGHTS) // 5 * 7 + np.arange(NIGHTS) % 5
    whens = [
        when.isoformat() for when in pd.Timestamp("2026-01-05T02:00:00+00:00") + pd.to_timedelta(days, "D")
    ]
    return Measured.of(
        pd.DataFrame(
            {
                "night": [f"{number:03d}" for number in night],
                "when": np.array(whens)[night],
                "series": series,
                "observed": scaled * sd,
                "predicted": 0.0,
                "sd": sd,
                "within": (np.abs(scaled) <= half).astype(np.float64),
                "coverage": COVERAGE,
                "calibration": len(np.unique(real.valid)),
            }
        )
    )


def quiet_row(real: Assay, copies: int, alone: bool, years: int, rng: np.random.Generator) -> list[str]:
    """Years without a drift that have a warning."""
    found = [{one.kind for one in year(real, copies, alone, 0.0, rng)} for _ in range(years)]
    counted = "each molecule by itself" if alone else "by series"
    kinds = [sum(kind in one for one in found) for kind in ("coverage", "shift")]
    cells = [wilson(count, years) for count in (sum(map(bool, found)), *kinds)]
    return [f"{real.series.size * copies / NIGHTS:.0f}", counted, str(years), *cells]


def drift_row(
    real: Assay, copies: int, name: str, drift: float, years: int, rng: np.random.Generator
) -> list[str]:
    """How many nights pass until a drift is warned of."""
    late, kinds = [], []
    for _ in range(years):
        found = [one for one in year(real, copies, False, drift, rng) if int(one.night) >= DRIFT]
        late.append(int(found[0].night) - DRIFT + 1 if found else NIGHTS)
        kinds.append(found[0].kind if found else "")
    shares = [wilson(int(np.sum(np.array(late) <= nights)), years) for nights in (5, 10, 20)]
    said = f"{100 * np.mean(np.array(kinds) == 'shift'):.0f} %"
    return [f"{real.series.size * copies / NIGHTS:.0f}", f"{name} ({drift:.2f})", f"{np.median(late):.0f}",
            *shares, said]  # fmt: skip


TEXT = """
## A record of nightly runs: false warnings, and a drift that is found

`python -m benchmarks.record`. Simulated years of {nights} nights. An ensemble of {replicates} replicates was
trained on the oldest measurements of a ChEMBL table (MAO-A IC50); the {later} later ones come in order of
time, with their real scaffolds ({series}). Their errors are drawn from those that the ensemble made, made
symmetric about zero, with {common:.0%} of the variance in common within a scaffold, as it was. A new champion
comes every {champion} nights, its intervals fitted on {valid} molecules of {valid_series} scaffolds. Without
a drift, the share of years with a warning (at most 5 % are allowed), in brackets 95 % intervals:

{quiet}

With a drift on night {drift}, of one standard deviation of the assay's values or of its repeated
measurements: nights until a warning, years in which it came within so many nights, and how many first
warnings were of the kind `shift`.

{found}

{real}
"""


def sections(share: int) -> dict[str, str]:
    """Both tables, and what the record says of the real measurements."""
    if not TABLE.is_file() and not PATH.is_file():
        raise ValueError(f"{TABLE}: no such file; set MANYWALKS_DATA")
    real, years = assay(), YEARS // share
    quiet = on_all_cores(
        [partial(quiet_row, real, *case, years) for case in ((1, False), (4, False), (1, True), (4, True))]
    )
    drifts = {"values": real.spread, "repeats": real.repeats}
    found = on_all_cores(
        [
            partial(drift_row, real, copies, name, size, years // 2)
            for name, size in drifts.items()
            for copies in (1, 4)
        ]
    )
    kinds = ["years", "any warning", "coverage", "shift"]
    late = ["measured a night", "drift (pIC50)", "nights, median", *(f"within {n}" for n in (5, 10, 20))]
    text = TEXT.format(
        nights=NIGHTS,
        replicates=REPLICATES,
        later=real.series.size,
        series=len(np.unique(real.series)),
        common=real.common,
        champion=OF_A_CHAMPION,
        valid=real.valid.size,
        valid_series=len(np.unique(real.valid)),
        drift=DRIFT,
        quiet=table(["measured a night", "counted", *kinds], quiet),
        found=table([*late, "shift"], found),
        real=of_the_real_year(real),
    )
    return {"record": text}


def of_the_real_year(real: Assay) -> str:
    """What the record says of the real measurements, which one ensemble predicts to the end."""
    n = real.series.size
    night = np.arange(n) * NIGHTS // n
    record = measured(real, night, real.series, real.scaled, real.sd, np.ones(n))
    found = warned(record._replace(within=real.within.astype(np.float64)))
    first = (
        f"the first warning came on night {int(found[0].night) + 1} ({found[0].kind})"
        if found
        else "no warning"
    )
    return (
        f"The real measurements, of which the ensemble never learned: {real.within.mean():.0%} were within "
        f"the intervals of {COVERAGE:.0%};\n{first}."
    )


if __name__ == "__main__":
    main(__doc__, sections)
