"""What a fit leaves, of the estimators and of their parts: reading a file accepts nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from pyrelu._mlp.allowed import check_parameters
from pyrelu._mlp.fitted import ATTRIBUTES, check_fitted
from pyrelu._storage import encoding
from pyrelu._text import listed
from pyrelu.tabular import _scaling
from pyrelu.tabular._allowed import CONSTRAINTS
from pyrelu.tabular._columns import BOOLEANS, KINDS, NUMERIC
from pyrelu.tabular._networks import NetworkClassifier, NetworkRegressor, TabularNetwork
from pyrelu.tabular._preprocessing import FACTS, TablePreprocessor, is_category

if TYPE_CHECKING:
    from pyrelu.tabular._base import BaseTabularMLP


def _is_facts(facts: Any) -> bool:
    return (
        type(facts) is dict
        and tuple(facts) == FACTS
        and type(facts["name"]) is str
        and facts["kind"] in KINDS
        and type(facts["levels"]) is list
        and all(type(level) is str for level in facts["levels"])
        and len(set(facts["levels"])) == len(facts["levels"])
        and (len(facts["levels"]) > 0) == is_category(facts)
        and (facts["kind"] != "boolean" or facts["levels"] == BOOLEANS)
        and all(type(facts[name]) is float and np.isfinite(facts[name]) for name in ("first", "median"))
        and all(type(facts[name]) is bool for name in ("has_zone", "has_gaps"))
        and (facts["kind"] in NUMERIC or not facts["has_gaps"])
    )


def _is_scale(numeric: str, learned: object) -> bool:
    if not isinstance(learned, np.ndarray) or learned.dtype != np.float64 or learned.ndim != 1 or not learned.size:
        return False
    if numeric == "quantile":
        return bool(np.isfinite(learned).all() and (np.diff(learned) >= 0).all())
    return len(learned) == 2 and bool(np.isfinite(learned[0]) and learned[1] > 0)


def _check_preprocessor(attributes: dict[str, Any]) -> None:
    """Raise ValueError unless these are the attributes of a TablePreprocessor; those of a file may be anything."""
    preprocessor = TablePreprocessor()
    unknown = attributes.keys() - set(preprocessor.get_params())
    fitted = {"columns_", "scales_", "n_features_in_"}
    if unknown - fitted - {"feature_names_in_", "_sklearn_output_config"} or not attributes.keys() >= set(
        preprocessor.get_params()
    ):
        raise ValueError(f"a TablePreprocessor with the attributes {listed(sorted(map(str, attributes)))}")
    preprocessor.__dict__.update(attributes)
    check_parameters(preprocessor, CONSTRAINTS)
    if attributes.get("_sklearn_output_config", {}) not in [{}] + [
        {"transform": container} for container in ("default", "pandas", "polars")
    ]:
        raise ValueError("no such container as the output of a TablePreprocessor")
    if not unknown & (fitted | {"feature_names_in_"}):
        return
    columns, scales, n = (attributes.get(name) for name in ("columns_", "scales_", "n_features_in_"))
    if type(columns) is not list or not columns or not all(map(_is_facts, columns)):
        raise ValueError("columns_ is not as a fit leaves it")
    if type(n) is not int or n != len(columns):
        raise ValueError(f"n_features_in_ is {n!r} where columns_ has {len(columns)} entries")
    names = attributes.get("feature_names_in_")
    if "feature_names_in_" in attributes and not (
        isinstance(names, np.ndarray)
        and names.dtype == object
        and names.shape == (n,)
        and names.tolist() == [facts["name"] for facts in columns]
        and len(set(names.tolist())) == n
    ):
        raise ValueError("feature_names_in_ are not the names of columns_")
    n_scales = preprocessor.n_numeric_ + preprocessor.n_one_hot_ * _scaling.scales_one_hot(preprocessor.numeric)
    if (
        type(scales) is not list
        or len(scales) != n_scales
        or not all(_is_scale(preprocessor.numeric, learned) for learned in scales)
    ):
        raise ValueError("scales_ is not as a fit leaves it")


def _check_network(cls: type[TabularNetwork]) -> Callable[[dict[str, Any]], None]:
    def check(attributes: dict[str, Any]) -> None:
        network = cls()
        network._take(attributes, "the file")
        check_fitted(network)
        if not hasattr(network, "coefs_"):
            raise ValueError("a network is not fitted")
        if cls is NetworkRegressor:
            network._check_target()
        else:
            temperature, undoes = (vars(network).get(name) for name in ("temperature_", "undoes_smoothing_"))
            if not (isinstance(temperature, float) and 0 < temperature < np.inf and isinstance(undoes, bool)):
                raise ValueError("temperature_ and undoes_smoothing_ are not as a fit leaves them")

    return check


def check_estimator(estimator: BaseTabularMLP) -> None:
    """Raise ValueError where an attribute is not as a fit leaves it, or the attributes do not go together."""
    fitted: dict[str, Any] = {
        name: value for name, value in vars(estimator).items() if name not in estimator._get_param_names()
    }
    for name, value in fitted.items():
        if hasattr(type(estimator), name) or (name in ATTRIBUTES and not ATTRIBUTES[name](value)):
            raise ValueError(f"{name} does not have the type or shape that a fit gives it")
    if not fitted.keys() & {"estimators_", "preprocessor_", "classes_", "n_features_in_", "oof_"}:
        return
    networks, preprocessor = fitted.get("estimators_"), fitted.get("preprocessor_")
    if type(networks) is not list or not networks or type(preprocessor) is not TablePreprocessor:
        raise ValueError("estimators_ and preprocessor_ are not as a fit leaves them")
    check_is_fitted(preprocessor)
    width = preprocessor.n_numeric_ + preprocessor.n_one_hot_ + len(preprocessor.cardinalities_)
    n_outputs = {network.n_outputs_ for network in networks if type(network) is estimator._network_class}
    if not all(type(network) is estimator._network_class for network in networks) or len(n_outputs) > 1:
        raise ValueError(f"estimators_ must be of the class {estimator._network_class.__name__}, with as many outputs")
    if any(network.n_features_in_ != width for network in networks):
        raise ValueError(f"a network does not fit the {width} columns of the preprocessor's matrix")
    if fitted.get("n_features_in_") != preprocessor.n_features_in_:
        raise ValueError("n_features_in_ is not that of the preprocessor")
    names: Any = fitted.get("feature_names_in_")
    theirs: Any = vars(preprocessor).get("feature_names_in_")
    if (names is None) != (theirs is None) or not np.array_equal(names, theirs):
        raise ValueError("feature_names_in_ are not those of the preprocessor")
    classes: Any = fitted.get("classes_")
    if is_classifier(estimator) and not all(np.array_equal(classes, n.classes_) for n in networks):
        raise ValueError("classes_ are not those of the networks")
    if "oof_" in fitted and not (isinstance(estimator.oof_, np.ndarray) and estimator.oof_.dtype.kind == "f"):
        raise ValueError("oof_ is not as a fit leaves it")


encoding.add_class(TablePreprocessor, _check_preprocessor)
for _cls in (NetworkClassifier, NetworkRegressor):
    encoding.add_class(_cls, _check_network(_cls))
