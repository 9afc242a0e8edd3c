"""What exactly right probabilities show at few molecules."""

import numpy as np

from manywalks.evaluate.statement.uncertainty import expected_calibration_error, perfect_calibration_error


def test_right_probabilities_show_the_error_that_is_stated_for_them() -> None:
    rng = np.random.default_rng(1)
    probability = rng.random(100)
    perfect = perfect_calibration_error(probability)
    assert perfect is not None
    seen = [expected_calibration_error(rng.random(100) < probability, probability) for _ in range(400)]
    errors = np.array(seen, dtype=float)
    assert abs(errors.mean() - perfect[0]) < 0.01
    assert 0.95 <= np.mean(errors <= perfect[1]) <= 1
    assert 0.05 < perfect[0] < 0.15


def test_without_molecules_there_is_no_reference() -> None:
    assert perfect_calibration_error(np.zeros(0)) is None
