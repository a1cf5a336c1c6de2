"""The networks that the tabular estimators train: MLPs with rows held out as told, which others may ask to stop."""

import numpy as np

from pyrelu._mlp.fitted import check_fitted
from pyrelu._mlp.parameters import extends
from pyrelu._storage import encoding
from pyrelu.neural_network import MLPClassifier, MLPRegressor


class TabularNetwork:
    """What both kinds of networks have beside an MLP's.

    Attributes
    ----------
    held_out : ndarray of intp, or None
        The rows to hold out, with early stopping; None: as an MLP does.
    interrupt : threading.Event or None
        Set where training is to end after the epoch.
    last_epoch : int or None
        After which training ends; None: after `max_iter`, by which schedules go.
    """

    keeps_latest_of_best = True
    held_out = interrupt = last_epoch = None

    def prepare(self, *, held_out=None, interrupt=None, last_epoch=None):
        """Set what a fit is to know beside its parameters."""
        self.held_out, self.interrupt, self.last_epoch = held_out, interrupt, last_epoch
        return self

    def conclude(self):
        """Remove what `prepare` has set."""
        for name in ("held_out", "interrupt", "last_epoch"):
            vars(self).pop(name, None)

    def _split(self, rows, targets, random_state):
        if self.held_out is not None:
            return np.setdiff1d(rows, self.held_out), self.held_out
        return super()._split(rows, targets, random_state)

    def _should_stop(self, n_iter):
        return (self.interrupt is not None and self.interrupt.is_set()) or n_iter == self.last_epoch


class NetworkClassifier(TabularNetwork, MLPClassifier):
    """An MLPClassifier with an output for each class, also where there are two."""

    @extends(MLPClassifier)
    def __init__(self):
        pass

    def _is_multiclass(self):
        return self._label_binarizer.y_type_ in ("binary", "multiclass")


class NetworkRegressor(TabularNetwork, MLPRegressor):
    """An MLPRegressor."""

    @extends(MLPRegressor)
    def __init__(self):
        pass


def _check(cls):
    def check(attributes):
        network = cls()
        network._take(attributes, "the file")
        check_fitted(network)

    return check


for _cls in (NetworkClassifier, NetworkRegressor):
    encoding.add_class(_cls, _check(_cls))
