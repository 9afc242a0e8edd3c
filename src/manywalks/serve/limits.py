"""What a service takes before it refuses, so that no client costs the others their answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of a service.

    Attributes:
        rows: molecules of one request.
        waiting: molecules of all requests that wait; more are refused with status 429.
        body: bytes of one request.
        seconds: for one request, from its first byte to its answer.
        molecule: seconds for one molecule.
    """

    rows: int = 10_000
    waiting: int = 20_000
    body: int = 16 * 2**20
    seconds: float = 120.0
    molecule: float = 20.0
