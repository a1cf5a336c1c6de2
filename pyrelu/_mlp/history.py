"""The estimators' `history_`: one record per epoch."""

import numpy as np

LONGEST = 1000  # records kept by partial_fit, which may be called for ever (scikit-learn's issue 19959)


def continued(records, incremental):
    """Return a copy of the records so far to append to; where `incremental`, of the last ones only.

    Parameters
    ----------
    records : list or None
    incremental : bool
    """
    return list(records or [])[-(LONGEST - 1) if incremental else 0 :]


def append(mlp, trained, seconds, learning_rate=None, score=None):
    """Append the record of an epoch to the estimator's history.

    Parameters
    ----------
    mlp : estimator
    trained : Epoch
    seconds : float
    learning_rate, score : float, default=None
        Where there are such.
    """
    history = mlp.history_
    record = {"epoch": history[-1]["epoch"] + 1 if history else 1, "loss": trained.loss}
    if score is not None:
        record["validation_score"] = score
    if learning_rate is not None:
        record["learning_rate"] = learning_rate
    record["gradient_norm"] = trained.gradient_norm
    n_dead = len(trained.alive) - int(np.count_nonzero(trained.alive))
    record["dead_units"] = n_dead / max(1, len(trained.alive))
    record["seconds"] = seconds
    history.append(record)
