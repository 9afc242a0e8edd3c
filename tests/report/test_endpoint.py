"""Words and counts that the figures of an endpoint share."""

from manywalks.report.endpoint import fitted_on


def test_what_a_calibration_was_fitted_on_is_said_plainly() -> None:
    assert fitted_on({"fitted_on": 1}) == "1 valid molecule"
    found = fitted_on({"fitted_on": 1200, "reference": "out of bag"})
    assert found == "1,200 training molecules, each as the replicates that did not train on it predict it"
