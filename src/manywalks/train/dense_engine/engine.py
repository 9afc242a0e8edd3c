"""Engine for dense networks: one replicate a core, the whole run compiled, zeros skipped, no TensorFlow.

Replicates stacked in lockstep are slower on a processor, since their state leaves the cache; so each thread
trains one replicate from beginning to end, without Python's lock, and a pack costs no more memory than its
threads (and the results). The first use on a machine compiles for some 20 s; the code is kept on disk.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import cache

import numpy as np
import scipy.linalg.blas  # noqa: F401  loaded first, so that its threads are limited too
from threadpoolctl import threadpool_limits

from manywalks.train.dense_engine.adam import BETA_1, BETA_2
from manywalks.train.dense_engine.compile import compile_ahead
from manywalks.train.dense_engine.layout import DenseProblem, flatten, fresh_work, prepare, unflatten
from manywalks.train.dense_engine.network import State, Work, predict_rows
from manywalks.train.dense_engine.steps import train_window
from manywalks.train.problem import Pack, Problem, Progress, Replicate
from manywalks.train.streams import Streams, epoch_order, nudge, streams
from manywalks.train.weights import initial_weights

WINDOW = 64


"""Steps planned ahead: a longer plan takes memory, a shorter one visits resting rows more often."""


def supports(problem: Problem) -> bool:
    """Every network that params.yaml can describe without a builder."""
    return problem.network.builder is None


def train_pack(pack: Pack) -> Iterator[Replicate]:
    """Train a pack's replicates, `threads` at a time; yields each as it ends."""
    compile_ahead(pack.threads)
    prepared = prepare(pack.problem)
    stop = threading.Event()
    # two BLAS threads inside each of two replicates would wait for each other
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(pack.threads) as pool:
        waiting = {pool.submit(_train, prepared, pack, k, stop) for k in pack.indices}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                # a future keeps its result: none may outlive the yield, or the pack's weights pile up
                while done:
                    yield done.pop().result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _train(prepared: DenseProblem, pack: Pack, index: int, stop: threading.Event) -> Replicate:
    """Train one replicate from its own stream."""
    problem = pack.problem
    own = streams(pack.entropy, index, problem.vary, problem.family)
    drawn = initial_weights(problem.network, problem.features.width, problem.n_endpoints, own.weights)
    weights = nudge(drawn, own)
    state = flatten(prepared, weights, int(own.dropout.integers(2**63)))
    return train_state(prepared, state, own, index=index, progress=pack.progress, stop=stop)


def train_state(
    prepared: DenseProblem,
    state: State,
    own: Streams,
    *,
    index: int = 0,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Replicate:
    """Train from given weights: epoch after epoch, until the last or until stopping is called for."""
    problem, train = prepared.problem, prepared.problem.train_params
    work = fresh_work(prepared.shape)
    best_loss, best_epoch, best, epoch = np.inf, 0, state, 0
    for epoch in range(1, problem.epochs + 1):
        loss = _train_epoch(prepared, state, work, epoch, epoch_order(own.order, problem.train))
        if train.early_stopping is not None:
            loss += (valid_loss := _predict(prepared, state, work, problem.valid)[1])
            if valid_loss < best_loss:
                best_loss, best_epoch, best = valid_loss, epoch, _snapshot(state)
        if progress is not None:
            progress(index, epoch, problem.epochs)
        if not np.isfinite(loss):
            return _diverged(problem, index, epoch)
        if stop is not None and stop.is_set():
            break
        if train.early_stopping is not None and epoch - best_epoch >= train.early_stopping:
            break
    if train.early_stopping is None:
        best_epoch = epoch
    weights = unflatten(prepared, best)
    predictions, _ = _predict(prepared, best, work, problem.predict)
    if not all(np.isfinite(part).all() for part in [*weights, predictions]):
        return _diverged(problem, index, epoch)
    return Replicate(index, weights, predictions, epoch, best_epoch, False)


def _snapshot(state: State) -> State:
    """The weights as they are now; Adam's moments are not needed for predictions."""
    return state._replace(W=state.W.copy(), p=state.p.copy(), moving=state.moving.copy())


def _train_epoch(prepared: DenseProblem, state: State, work: Work, epoch: int, order: np.ndarray) -> float:
    """One epoch in windows; returns its summed loss."""
    per_epoch, batch = prepared.problem.steps_per_epoch, prepared.shape.batch
    loss = 0.0
    for low in range(0, per_epoch, WINDOW):
        high = min(low + WINDOW, per_epoch)
        steps = slice((epoch - 1) * per_epoch + low, (epoch - 1) * per_epoch + high)
        part = order[low * batch : high * batch]
        sizes, decays = prepared.sizes[steps], prepared.decays[steps]
        loss += train_window(prepared.data, prepared.shape, state, work, part, sizes, decays, *_fades(WINDOW))
    return loss


@cache
def _fades(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """What is left of Adam's two moments after 0, 1 ... `steps` steps without a gradient."""
    passed = np.arange(steps + 1)
    return (BETA_1**passed).astype(np.float32), (BETA_2**passed).astype(np.float32)


def _predict(prepared: DenseProblem, state: State, work: Work, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Predictions of some rows in network space, float32 (k, t), and their summed loss."""
    out = np.empty((len(rows), prepared.problem.n_endpoints), np.float32)
    loss = predict_rows(prepared.data, prepared.shape, state, work, rows.astype(np.int32), out)
    return out, loss


def _diverged(problem: Problem, index: int, epoch: int) -> Replicate:
    """A replicate that is reported, counted and replaced, not used."""
    nothing = np.full((len(problem.predict), problem.n_endpoints), np.nan, np.float32)
    return Replicate(index, [], nothing, epoch, epoch, True)
