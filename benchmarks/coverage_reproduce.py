"""How often does `manywalks reproduce` accuse honest models? Simulated replicates of known covariance.

    python -m benchmarks.coverage_reproduce            about a minute
    python -m benchmarks.coverage_reproduce --quick    a twentieth of the models, nothing written

A model's replicates and the fresh ones are draws of one distribution, so whatever is found is a false alarm.
"""

from functools import partial

import numpy as np

from benchmarks.experiments import main, on_all_cores, rms, wilson
from benchmarks.results import table
from benchmarks.simulated import Setting, draw, settings
from manywalks.replicates.statistics.bound import difference_bound
from manywalks.reproduce.agreement import suspicious_replicates

# replicates of the model, and fresh ones
SIZES = ((8, 8), (32, 8), (16, 16), (32, 32))
MODELS, ENDPOINTS = 5000, 10


def alarms(setting: Setting, m: int, k: int, models: int, rng: np.random.Generator) -> list[str]:
    """Models with a suspicious replicate, and those that are said not to agree, by number of endpoints."""
    suspicious, apart, apart_joint = 0, 0, 0
    for _ in range(models):
        model, fresh = draw(rng, m, setting), draw(rng, k, setting)
        suspicious += bool(suspicious_replicates(model, fresh))
        difference = rms(model.mean(axis=0) - fresh.mean(axis=0))
        apart += bool(difference > difference_bound(model, 0.95, other=k).bound)
        level = 1 - 0.05 / ENDPOINTS
        apart_joint += bool(difference > difference_bound(model, level, other=k).bound)
    # endpoints of one model are told apart each by itself; here they are independent, which is the worst case
    many = 100 * (1 - (1 - apart_joint / models) ** ENDPOINTS)
    error = 100 * ENDPOINTS * np.sqrt(apart_joint) / models
    thousand = f"{1000 * suspicious / models:.1f} ± {1000 * np.sqrt(suspicious) / models:.1f}"
    return [setting.name, str(m), str(k), thousand, wilson(apart, models), f"{many:.1f} % ± {error:.1f}"]


TEXT = """
## Reproduce: honest models

`python -m benchmarks.coverage_reproduce`. {models} models a line whose fresh replicates are draws of the same
distribution (simulated as for the coverage of the bound). A confidence of 95 % allows 5 % to disagree, of one
endpoint and of {endpoints} together; 1 model in 1,000 is allowed a suspicious replicate where replicates are
Gaussian. In brackets 95 % intervals; ± Monte Carlo error.

{table}
"""


def sections(share: int) -> dict[str, str]:
    """The table, one row per spectrum and size."""
    rows = [partial(alarms, setting, m, k, MODELS // share) for setting in settings() for m, k in SIZES]
    heads = ["replicates", "of the model", "fresh", "models in 1,000 with a suspicious replicate",
             "does not agree, 1 endpoint", f"does not agree, {ENDPOINTS} endpoints"]  # fmt: skip
    text = TEXT.format(models=MODELS // share, endpoints=ENDPOINTS, table=table(heads, on_all_cores(rows)))
    return {"coverage-reproduce": text}


if __name__ == "__main__":
    main(__doc__, sections)
