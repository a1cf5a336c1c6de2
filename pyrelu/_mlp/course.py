"""A fit on its way: all that an epoch changes, to go back to the end of the last whole one."""

from dataclasses import dataclass

import numpy as np

COUNTERS = ("loss_", "n_iter_", "t_", "_no_improvement_count", "best_loss_", "best_validation_score_")
RECORDS = ("loss_curve_", "validation_scores_", "history_")

# By id of the estimator; not an attribute of it, as callbacks may copy and pickle it on the way.
_courses: dict = {}


def course_of(mlp):
    """Return the Course of the fit that the estimator is in."""
    return _courses[id(mlp)]


@dataclass
class Moment:
    """All that an epoch changes, as `Course.note_whole_epoch` found it."""

    parameters: np.ndarray
    state: list  # of the optimizer
    of_optimizer: dict  # its counters
    counters: dict  # of the estimator
    n_records: dict
    order: np.ndarray
    kept: dict
    alive: np.ndarray | None
    random_state: dict | None


class Course:
    """A fit on its way; `course_of` finds it in a ``with`` block.

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
    optimizer : Optimizer
    kept : dict of str to ndarray
        Earlier parameters to go back to at the end. Replaced, never written to.
    alive : ndarray of bool, or None
        For each hidden unit, whether it was not 0 for all rows of the last epoch.
    ended : bool
        Whether a stopping rule has applied.
    whole : Moment
        The end of the last whole epoch.
    notes : dict
        What callbacks of ours remember.
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
        self.alive = None
        self.ended = False
        self.whole = self._spare = None
        self.notes = {}

    def __enter__(self):
        _courses[id(self.mlp)] = self
        return self

    def __exit__(self, *exception):
        del _courses[id(self.mlp)]

    @property
    def parameters(self):
        return self.network.parameters

    def note_whole_epoch(self):
        """Let `whole` be now. Its arrays are those of two epochs ago, as fresh ones would take the time to be had."""
        last, self.whole = self.whole, self._moment(self._spare)
        self._spare = last

    def _moment(self, spare):
        """Return all as it is now. What epochs replace rather than write to is not copied."""
        mlp, optimizer = vars(self.mlp), self.optimizer
        arrays = [self.parameters, *optimizer.state]
        copies = (
            [spare.parameters, *spare.state]
            if spare
            else list(np.empty((len(arrays), *arrays[0].shape), arrays[0].dtype))
        )
        for copy, array in zip(copies, arrays, strict=True):
            copy[:] = array
        return Moment(
            copies[0],
            copies[1:],
            {name: getattr(optimizer, name) for name in optimizer.counters},
            {name: mlp[name] for name in COUNTERS if name in mlp},
            {name: len(mlp[name] or ()) for name in RECORDS},
            self.order,
            dict(self.kept),
            self.alive,
            self.mlp._random_state.get_state(legacy=False) if self.callbacks else None,  # takes long; for checkpoints
        )

    def go_to(self, moment):
        """Make all as it was; what the records have more is dropped."""
        self.parameters[:] = moment.parameters
        for array, was in zip(self.optimizer.state, moment.state, strict=True):
            array[:] = was
        vars(self.optimizer).update(moment.of_optimizer)
        vars(self.mlp).update(moment.counters)
        for name, length in moment.n_records.items():
            records = getattr(self.mlp, name)
            if records is not None:
                del records[length:]
        self.order = moment.order
        self.kept = dict(moment.kept)
        self.alive = moment.alive
        if moment.random_state:
            self.mlp._random_state.set_state(moment.random_state)
