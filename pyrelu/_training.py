"""How the estimators train epoch by epoch, with their stopping rules; the arithmetic is the network's."""

import time
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from pyrelu import _history
from pyrelu._course import RECORDS
from pyrelu._optimizers import STOCHASTIC
from pyrelu._warn import warn

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed, or learning_rate_init={} is too high."
)


def pack(coefs, intercepts, dtype):
    """Return one buffer with copies of all arrays, and the arrays as views of it."""
    arrays = [*coefs, *intercepts]
    buffer = np.concatenate([array.ravel() for array in arrays], dtype=dtype)
    ends = np.cumsum([array.size for array in arrays])
    views = [part.reshape(array.shape) for part, array in zip(np.split(buffer, ends[:-1]), arrays, strict=True)]
    return buffer, views[: len(coefs)], views[len(coefs) :]


class Epoch(NamedTuple):
    loss: float
    gradient_norm: float
    alive: np.ndarray


def fit_stochastic(course, incremental):
    """Train epoch by epoch until a stopping rule applies, one epoch where `incremental`.

    Parameters
    ----------
    course : Course
    incremental : bool

    Returns
    -------
    bool
        Whether it came to its end, not interrupted by Ctrl-C.
    """
    mlp, callbacks = course.mlp, course.callbacks
    _start(course, incremental)
    batch_size = _batch_size(mlp, len(course.order))
    whole = course.moment()
    try:
        callbacks.begin_fit()  # where a checkpoint may put it on a later epoch
        whole = course.moment()
        while not course.ended and mlp.n_iter_ < mlp.max_iter:
            callbacks.begin_epoch()
            _train_epoch(course, batch_size)
            course.ended = incremental or (mlp._no_improvement_count > mlp.n_iter_no_change and _stops(course))
            whole = course.moment()
            course.ended |= callbacks.end_epoch()
        if not course.ended:
            warn(
                f"Stochastic Optimizer: Maximum iterations ({mlp.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
            )
        interrupted = False
    except KeyboardInterrupt:
        course.go_to(whole)
        warn("Training interrupted by user.")
        interrupted = True
    if mlp.early_stopping:
        course.parameters[:] = course.kept["best"]
    return not interrupted


def _start(course, incremental):
    """Set up what the epochs change, in copies: a fit that fails must leave the old ones as they were."""
    mlp = course.mlp
    if incremental and hasattr(mlp, "_optimizer"):
        mlp._optimizer = mlp._optimizer.copy(course.parameters.dtype)
    else:
        mlp._optimizer = STOCHASTIC[mlp.solver](course.parameters, mlp)
    course.optimizer = mlp._optimizer
    course.optimizer.take_penalties(mlp)
    mlp.n_iter_ = 0
    for name in RECORDS:
        setattr(mlp, name, _history.continued(getattr(mlp, name, None), incremental))
    if not course.validation:
        mlp.validation_scores_ = None
    else:
        mlp.best_validation_score_ = -np.inf if mlp.best_validation_score_ is None else mlp.best_validation_score_
    if not mlp.early_stopping:
        mlp.best_loss_ = np.inf if mlp.best_loss_ is None else mlp.best_loss_
    else:
        course.kept["best"] = course.parameters.copy()


def _train_epoch(course, batch_size):
    mlp, start = course.mlp, time.perf_counter()
    if mlp.shuffle:
        course.order = course.order[mlp._random_state.permutation(len(course.order))]
    mlp._optimizer.begin_epoch()
    learning_rate = mlp._optimizer.learning_rate
    trained = _train(course, batch_size)
    if not mlp.early_stopping and not np.isfinite(trained.loss):  # early stopping goes back to the best epoch instead
        raise ValueError(NOT_FINITE.format(mlp.learning_rate_init))
    mlp.loss_ = trained.loss
    mlp.n_iter_ += 1
    mlp.t_ += len(course.order)
    mlp.loss_curve_.append(mlp.loss_)
    mlp._optimizer.end_epoch(mlp.t_)
    course.alive = trained.alive
    score = course.validation.score() if course.validation else None
    _compare(course, score)
    _history.append(mlp, trained, time.perf_counter() - start, learning_rate, score)
    course.display.epoch(mlp.n_iter_, mlp.loss_, score)


def _train(course, batch_size):
    network, optimizer = course.network, course.optimizer
    loss = network.train(course.samples, course.order, batch_size, optimizer, optimizer.alpha)
    return Epoch(loss, float("nan"), network.find_alive(course.samples, course.order))


def _batch_size(mlp, n_samples):
    if mlp.batch_size == "auto":
        return min(200, n_samples)
    if mlp.batch_size > n_samples:
        warn("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")
    return min(mlp.batch_size, n_samples)


def _compare(course, score):
    """Count the epochs without improvement; with early stopping, keep the best parameters."""
    mlp = course.mlp
    if score is not None:
        mlp.validation_scores_.append(score)
        improves, best = score >= mlp.best_validation_score_ + mlp.tol, score > mlp.best_validation_score_
        mlp.best_validation_score_ = max(mlp.best_validation_score_, score)
    if not mlp.early_stopping:
        improves = mlp.loss_ <= mlp.best_loss_ - mlp.tol
        mlp.best_loss_ = min(mlp.best_loss_, mlp.loss_)
    elif best:
        course.kept["best"] = course.parameters.copy()
    mlp._no_improvement_count = 0 if improves else mlp._no_improvement_count + 1


def _stops(course):
    """Tell whether to stop now that there is no more improvement, or to go on with a lower learning rate."""
    mlp = course.mlp
    stops, consequence = mlp._optimizer.stall()
    what = "Validation score" if mlp.early_stopping else "Training loss"
    course.display.say(
        f"{what} did not improve more than tol={mlp.tol:f} for {mlp.n_iter_no_change} consecutive epochs. {consequence}"
    )
    if not stops:
        mlp._no_improvement_count = 0
    return stops
