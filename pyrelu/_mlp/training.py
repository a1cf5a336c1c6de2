"""Training epoch by epoch, with its stopping rules; the network does the arithmetic."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from pyrelu._mlp import history
from pyrelu._mlp.fit_state import ABSENT, RECORDS, FitState
from pyrelu._mlp.optimizers import STOCHASTIC, Optimizer, Stochastic
from pyrelu._mlp.warn import warn

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed, or learning_rate_init={} is too high."
)
BEST_SCORE = "validation score"  # the key in `best_parameters` that early stopping uses


def start_stochastic(state: FitState, incremental: bool) -> None:
    """Set up the state that epochs change. The estimator's own attributes are copied, never modified.

    Parameters
    ----------
    state : FitState
    incremental : bool
        Whether to train for one epoch and resume with the optimizer of the last fit.
    """
    mlp = state.estimator
    last: Optimizer | None = vars(mlp).get("_optimizer") if incremental else None
    if last is not None:
        if [array.shape for array in last.state] != [state.parameters.shape] * last.n_states:
            raise ValueError(
                "coefs_, intercepts_ and activation_weights_ are not of the shapes that the optimizer of the last fit "
                "was for; a fit without warm_start begins anew"
            )
        state.optimizer = last.copy(mlp, state.parameters.dtype)
    else:
        state.optimizer = STOCHASTIC[mlp.solver](state.parameters, mlp)
        if state.network.draws:
            state.optimizer.seed = int(state.random_state.randint(2**63, dtype=np.uint64))
    state.n_iter = 0
    for name in RECORDS:
        setattr(state, name, history.continued(getattr(state, name), incremental))
    state.no_improvement_count = 0 if state.no_improvement_count is ABSENT else state.no_improvement_count
    state.best_loss = None if state.best_loss is ABSENT else state.best_loss
    state.best_validation_score = None if state.best_validation_score is ABSENT else state.best_validation_score
    if not state.validation:
        state.validation_scores = None
    elif state.best_validation_score is None:
        state.best_validation_score = -np.inf
    if mlp.early_stopping:
        state.best_parameters[BEST_SCORE] = state.parameters.copy()
    elif state.best_loss is None:
        state.best_loss = np.inf


def fit_stochastic(state: FitState, incremental: bool) -> None:
    """Train epoch by epoch until a stopping rule applies; with `incremental`, for one epoch.

    Parameters
    ----------
    state : FitState
    incremental : bool
    """
    mlp, callbacks = state.estimator, state.callbacks
    state.rows.begin(state)
    while not state.stopped and state.n_iter < mlp.max_iter:
        callbacks.begin_epoch(state.n_iter + 1)
        _train_epoch(state)
        state.stopped = (state.no_improvement_count > mlp.n_iter_no_change and _stops(state)) or incremental
        state.stopped |= mlp._should_stop(state.n_iter)
        state.write_attributes()
        if incremental:
            return
        state.take_snapshot()
        state.stopped |= callbacks.end_epoch()
        state.amend_snapshot()
        mlp._end_epoch()
    if not state.stopped and not _stochastic(state).schedule.ends_with_max_iter:
        warn(
            f"Stochastic Optimizer: Maximum iterations ({mlp.max_iter}) reached and the optimization hasn't "
            "converged yet.",
            ConvergenceWarning,
        )


def _stochastic(state: FitState) -> Stochastic:
    """Return the optimizer that `start_stochastic` has set."""
    assert isinstance(state.optimizer, Stochastic)
    return state.optimizer


def _train_epoch(state: FitState) -> None:
    mlp, optimizer = state.estimator, _stochastic(state)
    state.keep_snapshot()
    optimizer.begin_epoch()
    learning_rate = optimizer.learning_rate
    trained, n_rows = state.rows.train(state)
    if not mlp.early_stopping and not np.isfinite(trained.loss):  # early stopping returns to the best epoch instead
        raise ValueError(NOT_FINITE.format(mlp.learning_rate_init))
    state.loss = trained.loss
    state.n_iter += 1
    state.t += n_rows
    state.loss_curve.append(state.loss)
    optimizer.end_epoch(state.t)
    state.alive = trained.alive
    score = state.validation.score(state) if state.validation else None
    _compare(state, score)
    history.append(state.history, trained, learning_rate, score)
    state.display.epoch(state.n_iter, state.loss, score)


def _compare(state: FitState, score: float | None) -> None:
    """Count epochs without improvement; with early stopping, save the best parameters."""
    mlp = state.estimator
    improves = False
    if score is not None:
        assert state.validation_scores is not None and state.best_validation_score is not None
        state.validation_scores.append(score)
        if not np.isnan(score):
            improves = score >= state.best_validation_score + mlp.tol
            ties = mlp.keeps_latest_of_best and score == state.best_validation_score
            if mlp.early_stopping and (score > state.best_validation_score or ties):
                state.best_parameters[BEST_SCORE] = state.parameters.copy()
            state.best_validation_score = max(state.best_validation_score, score)
    if not mlp.early_stopping:
        assert state.best_loss is not None
        improves = state.loss <= state.best_loss - mlp.tol
        state.best_loss = min(state.best_loss, state.loss)
    state.no_improvement_count = 0 if improves else state.no_improvement_count + 1


def _stops(state: FitState) -> bool:
    """Return whether to stop, now that training has stalled, rather than lower the learning rate and continue."""
    mlp = state.estimator
    stops, consequence = _stochastic(state).stall()
    what = "Validation score" if mlp.early_stopping else "Training loss"
    state.display.say(
        f"{what} did not improve more than tol={mlp.tol:f} for {mlp.n_iter_no_change} consecutive epochs. {consequence}"
    )
    if not stops:
        state.no_improvement_count = 0
    return stops
