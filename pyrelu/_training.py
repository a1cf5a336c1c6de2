"""How the estimators train: epochs with their stopping rules, or L-BFGS; the arithmetic is the network's."""

import warnings

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from pyrelu._optimizers import STOCHASTIC, Gradient

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


def fit_lbfgs(mlp, network, samples):
    """Minimise the loss over all samples, from the network's parameters on."""
    solver = Gradient(network.parameters, mlp)

    def loss_and_gradient(parameters):
        network.parameters[:] = parameters
        loss = network.train(samples, None, samples.n_samples, solver).loss
        return loss, solver.state[0].astype(np.float64)

    result = scipy.optimize.minimize(
        loss_and_gradient,
        network.parameters.astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        options={"maxfun": mlp.max_fun, "maxiter": mlp.max_iter, "gtol": mlp.tol},
    )
    network.parameters[:] = result.x
    mlp.loss_ = result.fun
    mlp.n_iter_ = min(result.nit, mlp.max_iter)
    if result.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {mlp.n_iter_} iteration(s) (status={result.status}):\n{result.message}\n\n"
            f"Increase the number of iterations (max_iter={mlp.max_iter}), or scale the data.",
            ConvergenceWarning,
            stacklevel=4,
        )


def fit_stochastic(mlp, network, samples, order, score, incremental):
    """Train epoch by epoch until a stopping rule of `mlp` applies, one epoch where `incremental`.

    Parameters
    ----------
    mlp : estimator
        Its parameters say how to train; its fitted attributes move on.
    network : Network
    samples : Samples
    order : ndarray of intp
        The samples to train on.
    score : callable() -> float, or None
        The score on held-out samples, for early stopping.
    incremental : bool

    Returns
    -------
    bool
        Whether it came to its end, not interrupted by Ctrl-C.
    """
    if incremental and hasattr(mlp, "_optimizer"):
        mlp._optimizer = mlp._optimizer.copy(network.dtype)
    else:
        mlp._optimizer = STOCHASTIC[mlp.solver](network.parameters, mlp)
        if network.draws:
            mlp._optimizer.seed = int(mlp._random_state.randint(2**63, dtype=np.uint64))
    mlp.loss_curve_ = list(mlp.loss_curve_)  # a fit that fails must leave the old list as it was
    mlp.validation_scores_ = list(mlp.validation_scores_) if score else None
    mlp.n_iter_ = 0
    batch_size = _batch_size(mlp, len(order))
    best_parameters = network.parameters.copy() if score else None
    try:
        for _ in range(mlp.max_iter):
            if mlp.shuffle:
                order = order[mlp._random_state.permutation(len(order))]
            _train_epoch(mlp, network, samples, order, batch_size)
            if _is_best(mlp, score) and score:
                best_parameters = network.parameters.copy()
            mlp._optimizer.end_epoch(mlp.t_)
            if (mlp._no_improvement_count > mlp.n_iter_no_change and _stops(mlp)) or incremental:
                break
        else:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({mlp.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return True
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=4)
        return False
    finally:
        if score:
            network.parameters[:] = best_parameters


def _train_epoch(mlp, network, samples, order, batch_size):
    mlp.loss_ = network.train(samples, order, batch_size, mlp._optimizer).loss
    if not mlp.early_stopping and not np.isfinite(mlp.loss_):  # early stopping goes back to the best epoch instead
        raise ValueError(NOT_FINITE.format(mlp.learning_rate_init))
    mlp.n_iter_ += 1
    mlp.t_ += len(order)
    mlp.loss_curve_.append(mlp.loss_)
    if mlp.verbose:
        print(f"Iteration {mlp.n_iter_}, loss = {mlp.loss_:.8f}")


def _batch_size(mlp, n_samples):
    if mlp.batch_size == "auto":
        return min(200, n_samples)
    if mlp.batch_size > n_samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
        )
    return min(mlp.batch_size, n_samples)


def _is_best(mlp, score):
    """Count the epochs without improvement; return whether none was better than this one."""
    if score:
        value = score()
        mlp.validation_scores_.append(value)
        if mlp.verbose:
            print(f"Validation score: {value:f}")
        improves, best = value >= mlp.best_validation_score_ + mlp.tol, value > mlp.best_validation_score_
        mlp.best_validation_score_ = max(mlp.best_validation_score_, value)
    else:
        improves, best = mlp.loss_ <= mlp.best_loss_ - mlp.tol, mlp.loss_ < mlp.best_loss_
        mlp.best_loss_ = min(mlp.best_loss_, mlp.loss_)
    mlp._no_improvement_count = 0 if improves else mlp._no_improvement_count + 1
    return best


def _stops(mlp):
    """Tell whether to stop now that there is no more improvement, or to go on with a lower learning rate."""
    stops, consequence = mlp._optimizer.stall()
    if mlp.verbose:
        what = "Validation score" if mlp.early_stopping else "Training loss"
        print(
            f"{what} did not improve more than tol={mlp.tol:f} for {mlp.n_iter_no_change} consecutive epochs. "
            f"{consequence}"
        )
    if not stops:
        mlp._no_improvement_count = 0
    return stops
