"""Saving estimators to files and loading them."""

from __future__ import annotations

import os
from typing import Any, Self

import sklearn

import pyrelu
from pyrelu._mlp.fitted import check_fitted
from pyrelu._storage import encoding, files
from pyrelu._typing import Floats
from pyrelu.exceptions import InvalidFileError

# Attributes that are not part of the model: of a running fit in which a callback is called, and of the process.
OF_THE_FIT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown", "_fit_state", "_task")
OF_THE_PROCESS = ("_skl_callbacks", "_parent_callback_ctx", *OF_THE_FIT)


class Persistent:
    """A mixin for estimators: `save`, `load`, and pickles that record their version."""

    coefs_: list[Floats]
    get_params: Any  # methods of BaseEstimator
    _get_param_names: Any

    def save(self, path: files.Path) -> None:
        """Save the estimator, fitted or not, to a file that can be loaded without running code from it.

        The format is safetensors; parameters and all other values that are not arrays are JSON in its metadata. The file
        is written atomically: at any time, even after a crash, `path` is the complete old file or the complete new one.

        Parameters
        ----------
        path : str, bytes or path-like
            The file, usually with the ending ".safetensors". An existing file is replaced.

        Raises
        ------
        TypeError
            If the format cannot store a parameter or attribute, for example a function as activation. Nothing is
            written.

        See Also
        --------
        load : The reverse.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from pyrelu import MLPClassifier
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> mlp = MLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "mlp.safetensors"
        >>> mlp.save(path)
        >>> MLPClassifier.load(path).predict([[0.5], [2.5]])
        array(['low', 'high'], dtype='<U4')
        """
        parameters = self.get_params(deep=False)
        fitted = {name: value for name, value in vars(self).items() if name not in parameters}
        for name in OF_THE_PROCESS:
            fitted.pop(name, None)
        content: dict[str, Any] = {"dtype": str(self.coefs_[0].dtype)} if hasattr(self, "coefs_") else {"dtype": None}
        if "_metadata_request" in fitted:
            fitted.pop("_metadata_request")
            content["requests"] = _requests(self)
        files.write(path, type(self).__name__, content | parameters | fitted)

    @classmethod
    def load(cls, path: files.Path) -> Self:
        """Load an estimator from a file written by `save`. Predictions and further training give the same bits.

        Parameters
        ----------
        path : str, bytes or path-like

        Returns
        -------
        An estimator of this class.

        Raises
        ------
        InvalidFileError
            A ValueError, if the file is truncated or damaged, or comes from another program, another class or a newer
            version. The check detects damage, not forgery. Loading never runs code from a file.
        OSError
            If the file cannot be opened.

        See Also
        --------
        save : The reverse, with an example.
        """
        path = os.fsdecode(path)
        content = files.read(path, cls.__name__)
        try:
            content.pop("dtype", None)
            requests = content.pop("requests", {})
            mlp = cls()
            mlp._take(content, path)
            mlp._check_fitted()
            with sklearn.config_context(enable_metadata_routing=True):
                for method, requested in requests.items():
                    getattr(mlp, f"set_{method}_request")(**requested)
        except (InvalidFileError, MemoryError):
            raise
        except Exception as error:
            raise InvalidFileError(path, f"does not hold a valid estimator ({error})") from error
        return mlp

    def _check_fitted(self) -> None:
        check_fitted(self)

    def __getstate__(self) -> dict[str, Any]:
        estimator: Any = super()
        state = {name: value for name, value in estimator.__getstate__().items() if name not in OF_THE_FIT}
        state |= {name: encoding.take_apart(state[name]) for name in state.keys() - self._get_param_names()}
        return state | {"_pyrelu": (files.FORMAT, pyrelu.__version__)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        number, version = state.pop("_pyrelu", (0, "0.1.0"))
        files.check_format(number, version, "this pickle")
        state |= {name: encoding.put_together(state[name]) for name in state.keys() - self._get_param_names()}
        self._take(state, "this pickle")

    def _take(self, attributes: dict[str, Any], source: object) -> None:
        """Set parameters and fitted attributes; the names of the latter begin or end with an underscore."""
        known = self._get_param_names()
        for name in attributes:
            if not (name in known or name.startswith("_") or name.endswith("_")):
                raise InvalidFileError(
                    source,
                    f"has the parameter {name!r}, which {type(self).__name__} of pyrelu {pyrelu.__version__} does not "
                    "have. Update pyrelu to read it",
                )
        estimator: Any = super()
        estimator.__setstate__(attributes)


def _requests(estimator: Any) -> dict[str, dict[str, Any]]:
    """Return the metadata requests of `set_fit_request` and so on: method -> metadata -> request."""
    routing = estimator.get_metadata_routing()
    methods = ("fit", "partial_fit", "score")
    return {method: dict(getattr(routing, method).requests) for method in methods if hasattr(routing, method)}
