"""How the estimators train epoch by epoch, with their stopping rules; the arithmetic is the network's."""

import time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from pyrelu._mlp import history
from pyrelu._mlp.course import RECORDS
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.warn import warn

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed, or learning_rate_init={} is too high."
)


def pack(groups, dtype):
    """Return one buffer with copies of all arrays, and the groups with views of it in their place; None stays."""
    arrays = [array for group in groups for array in group if array is not None]
    buffer = np.concatenate([array.ravel() for array in arrays], dtype=dtype)
    parts = iter(np.split(buffer, np.cumsum([array.size for array in arrays])))
    views = [[array if array is None else next(parts).reshape(array.shape) for array in group] for group in groups]
    return buffer, views


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
    callbacks.begin_fit()  # where a checkpoint may put it on a later epoch
    course.note_whole_epoch()
    try:
        while not course.ended and mlp.n_iter_ < mlp.max_iter:
            callbacks.begin_epoch()
            _train_epoch(course, batch_size)
            course.ended = (mlp._no_improvement_count > mlp.n_iter_no_change and _stops(course)) or incremental
            if incremental:
                break
            course.note_whole_epoch()
            course.ended |= callbacks.end_epoch()
            course.whole.kept = dict(course.kept)  # as a callback may have kept it
        if not course.ended and not mlp._optimizer.schedule.ends_with_max_iter:
            warn(
                f"Stochastic Optimizer: Maximum iterations ({mlp.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
            )
        interrupted = False
    except KeyboardInterrupt:
        course.go_to(course.whole)
        warn("Training interrupted by user.")
        interrupted = True
    if mlp.early_stopping:
        course.parameters[:] = course.kept["best"]
    return not interrupted


def _start(course, incremental):
    """Set up what the epochs change, in copies: a fit that fails must leave the old ones as they were."""
    mlp = course.mlp
    if incremental and hasattr(mlp, "_optimizer"):
        mlp._optimizer = mlp._optimizer.copy(mlp, course.parameters.dtype)
    else:
        mlp._optimizer = STOCHASTIC[mlp.solver](course.parameters, mlp)
        if course.network.draws:
            mlp._optimizer.seed = int(mlp._random_state.randint(2**63, dtype=np.uint64))
    course.optimizer = mlp._optimizer
    mlp.n_iter_ = 0
    for name in RECORDS:
        setattr(mlp, name, history.continued(getattr(mlp, name, None), incremental))
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
    trained = course.network.train(course.samples, course.order, batch_size, mlp._optimizer)
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
    history.append(mlp, trained, time.perf_counter() - start, learning_rate, score)
    course.display.epoch(mlp.n_iter_, mlp.loss_, score)


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
