"""How the estimators train with L-BFGS: SciPy's, on the loss and gradient of the network."""

import time

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from pyrelu._mlp import history
from pyrelu._mlp.optimizers import Gradient
from pyrelu._mlp.warn import warn


def fit_lbfgs(course):
    """Minimise the loss over all samples, from the network's parameters on.

    Parameters
    ----------
    course : Course

    Returns
    -------
    bool
        Whether it came to its end, not interrupted by Ctrl-C.
    """
    mlp, network, samples, callbacks = course.mlp, course.network, course.samples, course.callbacks
    course.optimizer = solver = Gradient(network.parameters, mlp)
    mlp.history_ = history.continued(getattr(mlp, "history_", None), incremental=False)
    mlp.n_iter_ = 0
    iterate = network.parameters.astype(np.float64)

    def loss_and_gradient(parameters):
        nonlocal trained, begun
        if begun is None:
            callbacks.begin_epoch()
            begun = time.perf_counter()
        network.parameters[:] = parameters
        trained = network.train(samples, None, samples.n_samples, solver)
        return trained.loss, solver.state[0].astype(np.float64)

    def end_iteration(intermediate_result):
        nonlocal begun
        iterate[:] = network.parameters[:] = intermediate_result.x
        mlp.n_iter_ += 1
        mlp.loss_ = intermediate_result.fun
        course.alive = trained.alive  # the last point of the line search is the one it took
        score = course.validation.score() if course.validation else None
        history.append(mlp, trained, time.perf_counter() - begun, score=score)
        course.display.epoch(mlp.n_iter_, mlp.loss_, score)
        begun = None
        course.ended = callbacks.end_epoch()
        if course.ended:
            raise StopIteration

    trained = begun = None
    callbacks.begin_fit()
    try:
        result = scipy.optimize.minimize(
            loss_and_gradient,
            iterate.copy(),
            method="L-BFGS-B",
            jac=True,
            callback=end_iteration,
            options={"maxfun": mlp.max_fun, "maxiter": mlp.max_iter, "gtol": mlp.tol},
        )
    except KeyboardInterrupt:
        network.parameters[:] = iterate
        warn("Training interrupted by user.")
        return False
    network.parameters[:] = result.x
    mlp.loss_ = result.fun
    mlp.n_iter_ = min(result.nit, mlp.max_iter)
    if result.status != 0 and not course.ended:
        warn(
            f"lbfgs failed to converge after {mlp.n_iter_} iteration(s) (status={result.status}):\n{result.message}\n\n"
            f"Increase the number of iterations (max_iter={mlp.max_iter}), or scale the data.",
            ConvergenceWarning,
        )
    return True
