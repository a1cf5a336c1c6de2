"""A fit on its way: all that an epoch changes, to go back to the end of the last whole one."""

import weakref
from dataclasses import dataclass

import numpy as np

COUNTERS = ("loss_", "n_iter_", "t_", "_no_improvement_count", "best_loss_", "best_validation_score_")
RECORDS = ("loss_curve_", "validation_scores_", "history_")

_courses = weakref.WeakKeyDictionary()  # not an attribute of the estimator, which may be copied and pickled on the way


def course_of(mlp):
    """Return the Course of the fit that the estimator is in."""
    return _courses[mlp]


@dataclass
class Moment:
    """What `Course.moment` returns."""

    arrays: dict
    counters: dict
    n_records: dict
    of_optimizer: dict
    random_state: dict | None
    alive: np.ndarray


class Course:
    """A fit on its way.

    Parameters
    ----------
    mlp : estimator
    network : Network
        Its `parameters` are what is trained.
    samples : Samples
    data : tuple of (X, targets, weights)
        What `samples` are of.
    order : ndarray of intp
        The rows to train on.
    validation : Validation or None
    callbacks : NoCallbacks
    display : Nothing
        What shows its progress.

    Attributes
    ----------
    kept : dict of str to ndarray
        Earlier parameters to go back to at the end.
    ended : bool
        Whether a stopping rule has applied.
    alive : ndarray of uint8, or None
        For each hidden unit, whether it was not 0 for all rows of the last epoch.
    """

    def __init__(self, mlp, network, samples, data, order, validation, callbacks, display):
        self.mlp = mlp
        self.network = network
        self.samples = samples
        self.data = data
        self.order = order
        self.validation = validation
        self.callbacks = callbacks
        self.display = display
        self.optimizer = None
        self.kept = {}
        self.ended = False
        self.alive = None
        _courses[mlp] = self

    @property
    def parameters(self):
        return self.network.parameters

    def arrays(self):
        """Return the arrays that an epoch changes; those but the first ones are replaced by it, not written to."""
        state = {f"optimizer.{i}": array for i, array in enumerate(self.optimizer.state)}
        held_out = {} if self.validation is None or self.validation.rows is None else {"held_out": self.validation.rows}
        kept = {f"kept.{name}": array for name, array in self.kept.items()}
        return {"parameters": self.parameters, **state}, {"order": self.order, **held_out, **kept}

    def moment(self):
        """Return all as it is now."""
        written, replaced = self.arrays()
        return Moment(
            {name: array.copy() for name, array in written.items()} | replaced,
            {name: vars(self.mlp)[name] for name in COUNTERS if name in vars(self.mlp)},
            {name: len(getattr(self.mlp, name) or ()) for name in RECORDS},
            {name: getattr(self.optimizer, name) for name in self.optimizer.counters},
            self.mlp._random_state.get_state(legacy=False) if self.callbacks else None,  # only a checkpoint needs it
            self.alive,
        )

    def go_to(self, moment):
        """Make all as it was; what the records have more is dropped."""
        for name, array in self.arrays()[0].items():
            array[:] = moment.arrays[name]
        self.order = moment.arrays["order"]
        if "held_out" in moment.arrays:
            self.validation.take(moment.arrays["held_out"])
        self.kept = {
            name.removeprefix("kept."): array for name, array in moment.arrays.items() if name.startswith("kept.")
        }
        vars(self.mlp).update(moment.counters)
        vars(self.optimizer).update(moment.of_optimizer)
        for name, length in moment.n_records.items():
            if length:
                del getattr(self.mlp, name)[length:]
        if moment.random_state:
            self.mlp._random_state.set_state(moment.random_state)
        self.alive = moment.alive
