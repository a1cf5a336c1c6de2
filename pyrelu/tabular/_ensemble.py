"""Networks that are trained side by side on one matrix."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import pyrelu
from pyrelu._mlp.callback_support import for_fit
from pyrelu._mlp.warn import warn
from pyrelu._typing import Floats
from pyrelu.tabular._networks import Split, TabularNetwork, Task

if TYPE_CHECKING:
    from pyrelu.tabular._base import BaseTabularMLP

Scored = tuple[Floats, NDArray[Any], NDArray[Any] | None]  # X, y and weights of rows


@dataclass
class Job:
    """A network to train.

    Attributes
    ----------
    network : TabularNetwork
        Trained in place.
    rows : tuple of (ndarray of intp, ndarray of intp), or None
        The rows to train on and those held out; None: there are none held out.
    number : int or None
        None where there is only one network.
    refit : int, "auto" or None
        The batch size with which to train it again on all rows, for as many epochs as were best; None: not again.
    outputs : ndarray or None
        The predictions for the rows held out, once the network is trained.
    done : bool
    """

    network: TabularNetwork
    rows: Split | None
    number: int | None = None
    refit: int | str | None = None
    outputs: Floats | None = None
    done: bool = False


@dataclass
class Data:
    """What the networks are trained on.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_columns)
        This, y and weights in partitions where the network trains on such.
    y : ndarray
    sample_weight : array-like or None
    eval_set : tuple or None
    """

    X: Any
    y: Any
    sample_weight: Any
    eval_set: tuple[Any, ...] | None

    def scored(self, rows: Split | None) -> Scored | None:
        """Return X, y and weights of the rows that a network is scored on, or None."""
        if self.eval_set is not None:
            X, y, given = (*self.eval_set, None)[:3]
            return X, y, None if given is None else np.asarray(given)
        if rows is None:
            return None
        weights = None if self.sample_weight is None else np.asarray(self.sample_weight)[rows[1]]
        return self.X[rows[1]], self.y[rows[1]], weights


def train(estimator: BaseTabularMLP, jobs: list[Job], data: Data) -> list[Job]:
    """Train networks, each in one thread, as many at a time as `n_threads` allows; a single one by all threads.

    What each network becomes depends on its own seed and rows alone. Ctrl-C ends the fits after their epochs; networks
    that have no whole epoch then are left out, unless there is no other.

    Parameters
    ----------
    estimator : BaseTabularMLP
    jobs : list of Job
    data : Data

    Returns
    -------
    list of Job
        Those whose networks are trained.
    """
    interrupt = threading.Event()
    if len(jobs) == 1:
        _fit(estimator, jobs[0], data, interrupt)
        return jobs
    for job in jobs:
        job.network.set_params(n_threads=1, verbose=False)
    n_threads = min(estimator.n_threads or pyrelu.get_num_threads(), len(jobs))
    with ThreadPoolExecutor(n_threads) as pool:
        futures = [pool.submit(_fit, estimator, job, data, interrupt) for job in jobs]
        try:
            for job, future in zip(jobs, futures, strict=True):
                while not future.done():  # waits that end let Python see signals, on any system and in any thread
                    wait([future], timeout=0.1)
                future.result()
                if estimator.verbose:
                    print(_line(job, len(jobs)))
        except KeyboardInterrupt:
            interrupt.set()
            for future in [future for future in futures if not future.cancel()]:
                future.result()
            warn("Training interrupted by user.")
        except BaseException:
            interrupt.set()
            for future in futures:
                future.cancel()
            raise
    for job in jobs:
        job.network.set_params(n_threads=estimator.n_threads)
    trained = [job for job in jobs if job.done]
    return [job for job in trained if job.network.n_iter_] or trained[:1]


def _line(job: Job, n: int) -> str:
    assert job.number is not None  # as there are several
    network = job.network
    score = network.best_validation_score_
    result = f"loss = {network.loss_:.8f}" if score is None else f"validation score: {score:f}"
    return f"Network {job.number + 1} of {n}, {network.n_iter_} iterations, {result}"


def _fit(estimator: BaseTabularMLP, job: Job, data: Data, interrupt: threading.Event) -> None:
    network = job.network
    finished = fit_network(estimator, job, network, Task(job.rows, interrupt), data, data.eval_set)
    job.outputs = estimator._conclude(network, data.scored(job.rows), data.eval_set is None)
    if job.refit is not None and job.rows is not None and finished:
        again = network._shallow_copy().set_params(early_stopping=False, batch_size=job.refit)
        if fit_network(estimator, job, again, Task(None, interrupt, best_epoch(network)), data):
            job.network = again
    job.done = True


def fit_network(
    estimator: BaseTabularMLP,
    job: Job,
    network: TabularNetwork,
    task: Task,
    data: Data,
    eval_set: tuple[Any, ...] | None = None,
) -> bool:
    """Train one network; return whether nothing has interrupted it."""
    callbacks = for_fit(getattr(estimator, "_skl_callbacks", []), job.number, again=task.last_epoch is not None)
    network._task = task
    if callbacks:
        network.set_callbacks(*callbacks)
        if hasattr(estimator, "_parent_callback_ctx"):
            network._parent_callback_ctx = estimator._parent_callback_ctx
    try:
        network.fit(data.X, data.y, data.sample_weight, eval_set=eval_set)
    finally:
        for name in ("_task", "_skl_callbacks", "_parent_callback_ctx"):
            network.__dict__.pop(name, None)
    return not task.interrupted


def best_epoch(network: TabularNetwork) -> int:
    """Return the number of epochs after which the network had the weights that it has."""
    if not network.early_stopping:
        n_iter: int = network.n_iter_
        return n_iter
    scores = np.nan_to_num(network.validation_scores_, nan=-np.inf)
    return int(np.flatnonzero(scores == scores.max())[-1]) + 1


def out_of_fold(jobs: list[Job], n_samples: int) -> NDArray[np.float64]:
    """Return for each row the mean prediction of the networks that held it out; NaN where there is none."""
    held_out = [(job.rows[1], job.outputs) for job in jobs if job.rows is not None and job.outputs is not None]
    shape = (n_samples, *held_out[0][1].shape[1:])
    total, n = np.zeros(shape), np.zeros(n_samples)
    for rows, outputs in held_out:
        total[rows] += outputs
        n[rows] += 1
    with np.errstate(invalid="ignore"):
        return total / n.reshape(-1, *[1] * (total.ndim - 1))
