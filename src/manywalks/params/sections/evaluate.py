"""Section evaluate of params.yaml: decisions, intervals, calibration, another draw of the data."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from manywalks.params.base import Name, Section
from manywalks.params.sections.cut import Cut, parse_cut
from manywalks.params.sections.endpoint import EndpointParams

# from fewer pairs of halves of the training molecules nobody can tell in how many ways they differ
FEWEST_DRAWS = 3
# Halves of fewer training molecules are no samples like the whole: what another sample would do was told
# wrong on some tables (benchmarks/data_draws.py).
FEWEST_TRAINED = 300


class EvaluateParams(Section):
    """Decisions, intervals and calibration."""

    threshold: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="for classifications: probability from which a molecule is called Yes"
    )
    coverage: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.9, description="share of molecules whose measured value should lie within the interval"
    )
    calibration: Literal["logistic", "isotonic", "auto"] = Field(
        default="logistic",
        description="for classifications: how probabilities are calibrated on the valid molecules (auto: "
        "whichever has the lower cross-fitted log-loss)",
    )
    data_draws: Literal["auto", "off"] | Annotated[int, Field(ge=FEWEST_DRAWS, le=64)] = Field(
        default="auto",
        description="states how far an ensemble trained on another sample would be from this one: the "
        "training molecules are halved so many times at random, and two replicates are trained on each half "
        "(auto: 3 or 4 times, if that takes no longer than training the replicates: from 12 replicates on)",
    )
    decide: dict[Name, str] = Field(
        default={},
        description="cut-off of an endpoint by which you select molecules, such as {logS: '>= -4'}; also "
        "'<= 2' or '-4 to -2'. How surely a retrained model would select the same is then stated",
    )

    @field_validator("data_draws", mode="before")
    @classmethod
    def switched(cls, data_draws: object) -> object:
        """YAML 1.1 reads `off` as false."""
        return "off" if data_draws is False else data_draws

    @field_validator("decide")
    @classmethod
    def readable(cls, decide: dict[str, str]) -> dict[str, str]:
        """Refuse what is no cut-off."""
        for name, text in decide.items():
            try:
                parse_cut(text)
            except ValueError as error:
                raise ValueError(f"evaluate.decide.{name}: {error}") from None
        return decide

    def cut_of(self, name: str, endpoint: EndpointParams) -> Cut | None:
        """Where decisions about an endpoint change; None where no cut-off was given.

        Of a class it is the threshold, of the calibrated probability; of a number `decide`, else its range.
        """
        if endpoint.kind == "classification":
            return Cut(low=self.threshold)
        if name in self.decide:
            return parse_cut(self.decide[name])
        return None if endpoint.range is None else Cut(*endpoint.range)
