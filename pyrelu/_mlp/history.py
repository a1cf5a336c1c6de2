"""The estimators' `history_`: one record per epoch."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from pyrelu._mlp.fit_state import ABSENT, Record
from pyrelu._network import Epoch

Item = TypeVar("Item")

MAX_RECORDS = 1000  # limits the memory of partial_fit, which may be called any number of times


def continued(records: Sequence[Item] | None, incremental: bool) -> list[Item]:
    """Return a copy of the records so far, to append to; with `incremental`, of the latest only.

    Parameters
    ----------
    records : list, None or ABSENT
    incremental : bool
    """
    so_far = [] if records is None or records is ABSENT else list(records)
    return so_far[-(MAX_RECORDS - 1) if incremental else 0 :]


def append(
    history: list[Record], trained: Epoch, learning_rate: float | None = None, score: float | None = None
) -> None:
    """Append the record of an epoch. It holds no times, so that equal fits have equal histories.

    Parameters
    ----------
    history : list of dict
    trained : Epoch
    learning_rate, score : float, default=None
        None if there is none.
    """
    record: Record = {"epoch": history[-1]["epoch"] + 1 if history else 1, "loss": trained.loss}
    if score is not None:
        record["validation_score"] = score
    if learning_rate is not None:
        record["learning_rate"] = learning_rate
    record["gradient_norm"] = trained.gradient_norm
    n_dead = len(trained.alive) - int(np.count_nonzero(trained.alive))
    record["dead_units"] = n_dead / max(1, len(trained.alive))
    history.append(record)
