from manywalks.params.sections.model import ReplicatesParams
from manywalks.replicates.plan import next_after


def test_replicates_that_may_be_wanted_next_are_missing_and_within_the_most() -> None:
    asked = ReplicatesParams.model_validate({"max": 8})
    assert next_after([2, 3], {5}, asked) == [4, 6, 7]
    assert next_after([2, 3], set(), ReplicatesParams.model_validate({"count": 5})) == [4]
    assert next_after([7], set(), asked) == []
