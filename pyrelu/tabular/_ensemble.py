"""Networks that are trained side by side on one matrix."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import pyrelu
from pyrelu._mlp.warn import warn


def fit_members(estimator, members, splits, Z, y, sample_weight, eval_set):
    """Train networks and set the estimator's attributes that depend on them.

    Each network is trained by one thread, as many at a time as the estimator's `n_threads` allow; a single one by all.
    What each network becomes depends on its own seed and rows alone.

    Parameters
    ----------
    estimator : BaseTabularMLP
    members : list of TabularNetwork
    splits : list of (ndarray of intp, or None)
        The rows that each network holds out.
    Z : ndarray of shape (n_samples, n_columns)
    y : ndarray
        As the networks take it.
    sample_weight : ndarray or None
    eval_set : tuple or None
    """
    interrupt = threading.Event()

    def fit_member(i):
        return _fit_member(estimator, members[i], splits[i], Z, y, sample_weight, eval_set, interrupt)

    if len(members) == 1:
        fit_member(0)
    else:
        for member in members:
            member.set_params(n_threads=1)
        n_threads = min(estimator.n_threads or pyrelu.get_num_threads(), len(members))
        with ThreadPoolExecutor(n_threads) as pool:
            futures = [pool.submit(fit_member, i) for i in range(len(members))]
            try:
                for future in futures:
                    future.result()
            except KeyboardInterrupt:
                interrupt.set()  # the networks end after their epoch; those that have not begun train for one
                for future in futures:
                    future.result()
                warn("Training interrupted by user.")
            except BaseException:
                interrupt.set()
                raise
    estimator.estimators_ = members
    estimator._set_outputs(y)
    if estimator.cv is not None:
        estimator.oof_ = _out_of_fold(estimator, splits, Z)


def _fit_member(estimator, member, held_out, Z, y, sample_weight, eval_set, interrupt):
    try:
        member.prepare(held_out=held_out, interrupt=interrupt)
        member.fit(Z, y, sample_weight, eval_set=eval_set)
        if eval_set is not None:
            X_out, y_out, w_out = (*eval_set, None)[:3]
        elif held_out is not None:
            X_out, y_out = Z[held_out], y[held_out]
            w_out = None if sample_weight is None else np.asarray(sample_weight)[held_out]
        else:
            X_out = y_out = w_out = None
        estimator._conclude_member(member, X_out, y_out, w_out)
        if estimator.refit and held_out is not None:
            best = 1 + max(range(len(scores := member.validation_scores_)), key=lambda i: (scores[i], i))
            temperature = getattr(member, "temperature_", None)
            member.set_params(early_stopping=False).prepare(interrupt=interrupt, last_epoch=best)
            member.fit(Z, y, sample_weight)
            if temperature is not None:
                member.temperature_ = temperature
    finally:
        member.conclude()


def _out_of_fold(estimator, splits, Z):
    """Return for each row the mean prediction of the networks that were not trained on it; NaN where there is none."""
    total, n = None, np.zeros(len(Z))
    for i, held_out in enumerate(splits):
        outputs = estimator._member_prediction(i, Z[held_out])
        if total is None:
            total = np.zeros((len(Z), *outputs.shape[1:]))
        total[held_out] += outputs
        n[held_out] += 1
    with np.errstate(invalid="ignore"):
        return total / n.reshape(-1, *[1] * (total.ndim - 1))
