"""Fits that change an estimator in one step, or not at all."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from weakref import WeakValueDictionary

from pyrelu._network import DefaultFloatingPoint

# Estimators that are in training, by their id: the copy that is trained, which goes away with the fit whatever happens.
_in_training: "WeakValueDictionary[int, object]" = WeakValueDictionary()
_lock = threading.RLock()


def _forget_other_threads() -> None:
    """Forget fits in other threads, in a forked child, where only this thread continues."""
    global _lock
    _lock = threading.RLock()
    _in_training.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_other_threads)


class Transactional:
    """A mixin for estimators: `_transaction`, in which a fit trains a copy."""

    @contextmanager
    def _transaction(self) -> Iterator[Self]:
        """Yield a copy to train. On success its attributes become this estimator's.

        They do so in one step: a signal or another thread finds the old attributes or the new ones, never a mixture.
        """
        training = self._shallow_copy()
        start = vars(training).copy()
        with _lock:
            if _in_training.setdefault(id(self), training) is not training:
                raise RuntimeError(
                    f"this {type(self).__name__} is already being fitted, in another thread or in the fit that called "
                    "this one. Fit copies of the estimator instead"
                )
        try:
            with DefaultFloatingPoint():
                yield training
            end, now = vars(training), vars(self)
            attributes = {name: value for name, value in now.items() if name in end or name not in start}
            attributes |= {name: value for name, value in end.items() if name not in start or value is not start[name]}
            self.__dict__ = attributes
        finally:
            _in_training.pop(id(self), None)

    def _shallow_copy(self) -> Self:
        """Return an estimator with the same attributes, without calling a subclass's own `__copy__`."""
        twin = object.__new__(type(self))
        twin.__dict__ = vars(self).copy()
        return twin
