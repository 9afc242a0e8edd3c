"""Plain Keras fits, as a person would write them, in processes of one thread each: the fair fan-out.

The order is fresh every epoch, since no global seed is set. `python -m benchmarks.keras_fits` is one such
process: each line of its input asks for some fits, each line of its output answers.
"""

import json
import subprocess
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import problems
from manywalks.params.sections.model import TrainParams
from manywalks.train.keras_engine.model import build, import_keras
from manywalks.train.problem import Problem, endpoint_losses


class Fits:
    """Some worker processes that fit at the same time."""

    def __init__(self, processes: int, threads: int = 1) -> None:
        command = [sys.executable, "-m", "benchmarks.keras_fits", str(threads)]
        self.workers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]

    def fit(self, table: str, recipe: str, epochs: int, each: int) -> list[dict[str, float]]:
        """`each` fits in each process: wall and core ms per step after the first epoch, seconds, RMSE."""
        asked = json.dumps({"table": table, "recipe": recipe, "epochs": epochs, "fits": each})
        for worker in self.workers:
            print(asked, file=worker.stdin, flush=True)
        answers: list[dict[str, float]] = []
        for worker in self.workers:
            assert worker.stdout is not None  # it is piped
            answers += json.loads(worker.stdout.readline())
        return answers

    def close(self) -> None:
        """End the processes."""
        for worker in self.workers:
            assert worker.stdin is not None  # it is piped
            worker.stdin.close()
            worker.wait()


def keras_rate(train: TrainParams, steps: int) -> Any:
    """The learning rate as Keras's optimizers take it: a number, or Keras's own schedule."""
    keras: Any = import_keras()
    rate, rising = train.learning_rate, round(train.warmup * steps)
    if train.schedule == "constant":
        if rising:
            raise ValueError("Keras has no schedule that rises and then is constant")
        return rate
    if not rising:
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        rate / (rising + 1), steps - rising, warmup_target=rate, warmup_steps=rising
    )


def one_fit(problem: Problem, matrix: np.ndarray) -> dict[str, float]:
    """One fit from Keras's own initial weights, and its score."""
    keras: Any = import_keras()
    train = problem.train_params
    began = time.perf_counter()
    model: Any = build(problem.network, problem.features.width, problem.n_endpoints)
    steps = problem.steps_per_epoch * problem.epochs
    rate = keras_rate(train, steps)
    optimizer = (
        keras.optimizers.AdamW(rate, weight_decay=train.weight_decay)
        if train.optimizer == "adamw"
        else keras.optimizers.Adam(rate)
    )
    # the loss of the recipe: a default that changed once made the two ways differ by a quarter of an SD
    model.compile(optimizer, {"mse": "mse", "huber": "huber"}[endpoint_losses(problem)[0]])
    ends: list[tuple[float, float]] = []
    timer = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: ends.append((time.perf_counter(), time.process_time()))
    )
    x, y = matrix[problem.train], problem.targets.values[problem.train]
    model.fit(x, y, batch_size=train.batch_size, epochs=problem.epochs, verbose=0, callbacks=[timer])
    steps = problem.steps_per_epoch * (problem.epochs - 1)
    wall, core = (1000 * (last - first) / steps for first, last in zip(ends[0], ends[-1], strict=True))
    score = problems.rmse(problem, model.predict(matrix[problem.predict], verbose=0))
    return {"wall": wall, "core": core, "seconds": time.perf_counter() - began, "rmse": score}


def main() -> None:
    """Answer until the input ends."""
    threads = int(sys.argv[1])
    import_keras()
    tf: Any = import_module("tensorflow")

    if threads > 0:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    for line in sys.stdin:
        asked = json.loads(line)
        problem = problems.problem(asked["table"], asked["recipe"], asked["epochs"])
        matrix = problem.features.matrix()
        answers = []
        for _ in range(asked["fits"]):
            answers.append(one_fit(problem, matrix))
            tf.keras.backend.clear_session()
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
