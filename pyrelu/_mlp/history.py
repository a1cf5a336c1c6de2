"""The estimators' `history_`: one record per epoch."""

import numpy as np

from pyrelu._mlp.fit_state import ABSENT

MAX_RECORDS = 1000  # limits the memory of partial_fit, which may be called any number of times


def continued(records, incremental):
    """Return a copy of the records so far, to append to; with `incremental`, of the latest only.

    Parameters
    ----------
    records : list, None or ABSENT
    incremental : bool
    """
    records = [] if records in (None, ABSENT) else records
    return list(records)[-(MAX_RECORDS - 1) if incremental else 0 :]


def append(history, trained, learning_rate=None, score=None):
    """Append the record of an epoch. It holds no times, so that equal fits have equal histories.

    Parameters
    ----------
    history : list of dict
    trained : Epoch
    learning_rate, score : float, default=None
        None if there is none.
    """
    record = {"epoch": history[-1]["epoch"] + 1 if history else 1, "loss": trained.loss}
    if score is not None:
        record["validation_score"] = score
    if learning_rate is not None:
        record["learning_rate"] = learning_rate
    record["gradient_norm"] = trained.gradient_norm
    n_dead = len(trained.alive) - int(np.count_nonzero(trained.alive))
    record["dead_units"] = n_dead / max(1, len(trained.alive))
    history.append(record)
