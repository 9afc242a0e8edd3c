"""The sections of params.yaml as checked, frozen models."""

from manywalks.params.load import Params, load_params, parse_params

__all__ = ["Params", "load_params", "parse_params"]
