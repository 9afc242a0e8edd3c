"""Where the training molecules are, and whether another molecule is among them.

Two questions, with thresholds from the training molecules themselves: how similar is the nearest training
molecule (Tanimoto on the fingerprint's bits), and what share of the descriptors lies outside their range.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from manywalks import files
from manywalks.features import Features
from manywalks.graph_layout import PREFIX

# of the training molecules, so many would be called strangers by their nearest other one, and by their
# descriptors
_STRANGE_SIMILARITY, _STRANGE_RANGE = 0.05, 0.01
# the thresholds are quantiles: so many molecules tell them to within half a percent
_MOST_JUDGED = 4000


@dataclass(frozen=True)
class Domain:
    """The training molecules, as far as nearness to them goes.

    Attributes:
        names: columns of the fingerprint, then of the descriptors.
        bits: uint64 (n, w), the fingerprint's bits of the n training molecules; w = 0 without a fingerprint.
        lowest, highest: (d,) of each descriptor in training; NaN where it had no value.
        gaps: bool (d,), whether a training molecule had no value there.
        similarity_threshold: least similarity to the nearest training molecule.
        outside_threshold: largest share of descriptors outside the training range.
    """

    names: tuple[str, ...]
    bits: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    gaps: np.ndarray
    similarity_threshold: float
    outside_threshold: float

    @classmethod
    def fit(cls, features: Features) -> "Domain":
        """The domain of the training molecules' raw features."""
        from manywalks.similarity import nearest_similarity  # with numba, 0.2 s to import

        if len(features) == 0:
            raise ValueError("domain: no training molecules; give the train subset some")
        features = features.without(PREFIX)
        prints, dense = _fingerprint(features), features.dense.astype(np.float64)
        bits = _packed(features, prints)
        own = np.arange(len(features))
        judged = own[:: max(1, len(own) // _MOST_JUDGED)]
        others = nearest_similarity(bits[judged], bits, skip=judged)
        outside = _outside_alone(dense)
        # a column without any value warns in nanmin
        known = np.isfinite(dense)
        return cls(
            names=(*(features.names[i] for i in prints), *features.names[_sparse_width(features) :]),
            bits=bits,
            lowest=_nan_where_unknown(np.where(known, dense, np.inf).min(axis=0)),
            highest=_nan_where_unknown(np.where(known, dense, -np.inf).max(axis=0)),
            gaps=np.asarray(~known.all(axis=0)),
            similarity_threshold=float(np.quantile(others, _STRANGE_SIMILARITY)),
            outside_threshold=float(np.quantile(outside, 1 - _STRANGE_RANGE)),
        )

    def assess(self, features: Features) -> pd.DataFrame:
        """Columns of n molecules, from raw features with the training's columns.

        similarity: Tanimoto to the nearest training molecule, 0 to 1; NaN without a fingerprint.
        outside_share: share of the descriptors outside the training range; 0 without descriptors.
        in_domain: whether neither is beyond its threshold.
        """
        from manywalks.similarity import nearest_similarity  # with numba, 0.2 s to import

        features = features.without(PREFIX)
        similarity = nearest_similarity(self.fingerprints(features), self.bits)
        outside = self._outside_share(features.dense.astype(np.float64))
        strange = (similarity < self.similarity_threshold) | (outside > self.outside_threshold)
        return pd.DataFrame({"similarity": similarity, "outside_share": outside, "in_domain": ~strange})

    def fingerprints(self, features: Features) -> np.ndarray:
        """The bits, uint64 (n, w), that the similarity of n molecules to the training molecules goes by."""
        features = features.without(PREFIX)
        prints = _fingerprint(features)
        names = (*(features.names[i] for i in prints), *features.names[_sparse_width(features) :])
        if names != self.names:
            raise ValueError(
                f"domain: features have {len(names)} columns unlike the {len(self.names)} of the training "
                "molecules; compute them with the model's own settings"
            )
        return _packed(features, prints)

    def _outside_share(self, dense: np.ndarray) -> np.ndarray:
        """Share of the (n, d) descriptors beyond the training range, or without value where all had one."""
        if dense.shape[1] == 0:
            return np.zeros(len(dense))
        beyond = (dense < self.lowest) | (dense > self.highest) | (np.isnan(dense) & ~self.gaps)
        return beyond.mean(axis=1)

    def save(self, path: Path) -> None:
        """Write domain.npz."""
        files.write_npz(
            path,
            {
                "names": np.array(self.names, dtype=np.str_),
                "bits": self.bits,
                "lowest": self.lowest,
                "highest": self.highest,
                "gaps": self.gaps,
                "thresholds": np.array([self.similarity_threshold, self.outside_threshold]),
            },
        )

    @classmethod
    def load(cls, path: Path) -> "Domain":
        """Read domain.npz; a ValueError names a missing or damaged file."""
        a = files.read_npz(path)
        return cls(
            names=tuple(str(name) for name in a["names"]),
            bits=a["bits"],
            lowest=a["lowest"],
            highest=a["highest"],
            gaps=a["gaps"],
            similarity_threshold=float(a["thresholds"][0]),
            outside_threshold=float(a["thresholds"][1]),
        )


def _fingerprint(features: Features) -> np.ndarray:
    """Columns of the fingerprint that similarity is measured on: the first Morgan block, else the first."""
    blocks = np.array([name.partition(":")[0] for name in features.names[: _sparse_width(features)]])
    if blocks.size == 0:
        return np.zeros(0, dtype=np.int64)
    morgan = [block for block in blocks if block.startswith("morgan")]
    return np.flatnonzero(blocks == (morgan[0] if morgan else blocks[0]))


def _sparse_width(features: Features) -> int:
    """Number of sparse columns; the descriptors come after them."""
    return features.width - features.dense.shape[1]


def _packed(features: Features, columns: np.ndarray) -> np.ndarray:
    """Which of the columns are not zero, as uint64 (n, w)."""
    width = 64 * -(-columns.size // 64)
    packed = np.zeros((len(features), width // 64), dtype=np.uint64)
    for start in range(0, len(features), 4096):  # the dense matrix of all molecules need never exist
        rows = features.counts[start : start + 4096][:, columns].toarray() != 0
        padded = np.zeros((len(rows), width), dtype=bool)
        padded[:, : columns.size] = rows
        packed[start : start + 4096] = np.packbits(padded, axis=1, bitorder="little").view(np.uint64)
    return packed


def _outside_alone(dense: np.ndarray) -> np.ndarray:
    """Share of each training molecule's descriptors that are outside the range of all the others: (n,)."""
    n, width = dense.shape
    if n < 2 or width == 0:
        return np.zeros(n)
    ordered = np.sort(dense, axis=0)  # NaN last
    values = np.isfinite(dense).sum(axis=0)
    last = ordered[np.maximum(values - 1, 0), np.arange(width)]
    before = ordered[np.maximum(values - 2, 0), np.arange(width)]
    alone = ((dense == last) & (last > before)) | ((dense == ordered[0]) & (ordered[0] < ordered[1]))
    return (alone | (np.isnan(dense) & (values == n - 1))).mean(axis=1)


def _nan_where_unknown(extreme: np.ndarray) -> np.ndarray:
    """NaN for the infinities that a column without values leaves."""
    return np.where(np.isfinite(extreme), extreme, np.nan)
