"""scikit-learn's callbacks in a fit, if the installed scikit-learn has them (1.9 or later)."""

import copy
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

try:
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Raises an error that says which version callbacks need."""

        def set_callbacks(self, *callbacks: Any) -> Self:
            """Raise ImportError: this scikit-learn has no callbacks.

            Returns
            -------
            self : estimator instance
            """
            raise ImportError("callbacks need scikit-learn 1.9 or later")

    def _with_callbacks(method: Method) -> Method:
        return method


def with_callbacks(method: Method) -> Method:
    """Return a method that fits, with the callbacks set up before and torn down after it, if scikit-learn has callbacks."""
    wrapped: Method = _with_callbacks(method)
    return wrapped


__all__ = ["NO_CALLBACKS", "CallbackSupportMixin", "callbacks_of", "for_fit", "with_callbacks"]


class NoCallbacks:
    """The callbacks of a fit without any: empty methods."""

    def __bool__(self) -> bool:
        return False

    def begin_fit(self) -> None:
        """Call the hooks before the first epoch."""

    def begin_epoch(self, number: int) -> None:
        """Call the hooks before an epoch, counted from 1."""

    def end_epoch(self) -> bool:
        """Call the hooks after an epoch; return whether a callback asks to stop."""
        return False

    def end_fit(self) -> None:
        """Call the hooks at the end of the fit."""


NO_CALLBACKS = NoCallbacks()


class Callbacks(NoCallbacks):
    """The estimator's callbacks, called with the data as the user gave it."""

    def __init__(self, mlp: Any, X: Any, y: Any, sample_weight: Any) -> None:
        self.mlp = mlp
        self.fit_context = mlp._init_callback_context(max_subtasks=mlp.max_iter)
        self.data = {"X": X, "y": y, "metadata": {} if sample_weight is None else {"sample_weight": sample_weight}}

    def __bool__(self) -> bool:
        return True

    def begin_fit(self) -> None:
        self.fit_context.call_on_fit_task_begin(estimator=self.mlp, **self.data)

    def begin_epoch(self, number: int) -> None:
        self.context = self.fit_context.subcontext(task_name=f"epoch {number}")
        self.context.call_on_fit_task_begin(estimator=self.mlp, **self.data)

    def end_epoch(self) -> bool:
        return self._end(self.context)

    def end_fit(self) -> None:
        self._end(self.fit_context)

    def _end(self, context: Any) -> bool:
        stop: bool = context.call_on_fit_task_end(
            estimator=self.mlp, **self.data, reconstruction_attributes=self._fitted_attributes
        )
        return stop

    def _fitted_attributes(self) -> dict[str, Any]:
        """Return copies of the attributes that training changes in place."""
        arrays = ("coefs_", "intercepts_", "activation_weights_")
        weights = {name: copy.deepcopy(vars(self.mlp)[name]) for name in arrays}
        for name in {"adapters_", "embedding_"} & vars(self.mlp).keys():
            weights[name] = copy.deepcopy(vars(self.mlp)[name])
        records = {name: list(vars(self.mlp).get(name) or ()) for name in ("loss_curve_", "history_")}
        return weights | records


def callbacks_of(mlp: Any, X: Any, y: Any, sample_weight: Any) -> NoCallbacks:
    """Return the callbacks set on the estimator, after their `setup`."""
    return Callbacks(mlp, X, y, sample_weight) if getattr(mlp, "_skl_callbacks", None) else NO_CALLBACKS


def for_fit(callbacks: Iterable[Any], number: int | None = None, again: bool = False) -> list[Any]:
    """Return callbacks for one of several fits, as those of `pyrelu.callbacks` say by `_for_fit`; others as they are."""
    own = [callback._for_fit(number, again) if hasattr(callback, "_for_fit") else callback for callback in callbacks]
    return [callback for callback in own if callback is not None]
