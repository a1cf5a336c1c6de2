"""The types of the attributes that a fit sets. A file may contain no others."""

from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer

from pyrelu import registry
from pyrelu._mlp.embedding import InputEmbedding
from pyrelu._mlp.optimizers import STOCHASTIC, Stochastic
from pyrelu._mlp.param_groups import GROUPS
from pyrelu._mlp.schedules import SCHEDULES, Schedule
from pyrelu._storage import encoding

Test = Callable[[Any], bool]
Attributes = dict[str, Any]  # of an object in a file

LABELS = ("binary", "multiclass", "multilabel-indicator")


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) < 2**63


def _is_array(value: object, kinds: str = "f", n_dimensions: int = 1) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and value.ndim == n_dimensions


def _all(test: Test) -> Test:
    return lambda value: isinstance(value, list) and all(map(test, value))


def _or_none(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _is_schedule(value: object) -> bool:
    return isinstance(value, Schedule)


def _is_record(value: object) -> bool:
    return isinstance(value, dict) and _is_count(value.get("epoch")) and all(_is_real(item) for item in value.values())


ATTRIBUTES: dict[str, Test] = {
    "coefs_": _all(lambda value: _is_array(value, n_dimensions=2)),
    "intercepts_": _all(_is_array),
    "activation_weights_": _all(_or_none(_is_array)),
    "adapters_": lambda value: value != [] and _all(lambda one: _is_array(one, n_dimensions=2))(value),
    "dead_units_": _all(lambda value: _is_array(value, "b")),
    "history_": _all(_is_record),
    "loss_curve_": _all(_is_real),
    "validation_scores_": _or_none(_all(_is_real)),
    "loss_": _is_real,
    "best_loss_": _or_none(_is_real),
    "best_validation_score_": _or_none(_is_real),
    "n_iter_": _is_count,
    "t_": _is_count,
    "n_layers_": _is_count,
    "n_outputs_": _is_count,
    "n_features_in_": _is_count,
    "feature_names_in_": lambda value: _is_array(value, "OU") and all(isinstance(name, str) for name in value),
    "embedding_": lambda value: isinstance(value, InputEmbedding),
    "classes_": lambda value: _is_array(value, "biufUO"),
    "_no_improvement_count": _is_count,
    "_random_state": lambda value: value is np.random or isinstance(value, np.random.RandomState),
    "_optimizer": lambda value: type(value) in STOCHASTIC.values(),
    "_label_binarizer": lambda value: isinstance(value, LabelBinarizer),
}


def check_fitted(mlp: Any) -> None:
    """Raise ValueError if an attribute does not have the type that a fit gives it, or contradicts another one."""
    attributes = {name: value for name, value in vars(mlp).items() if name not in mlp._get_param_names()}
    for name, value in attributes.items():
        if hasattr(type(mlp), name):
            raise ValueError(f"{name} is not an attribute that a fit sets")
        if name in ATTRIBUTES and not ATTRIBUTES[name](value):
            raise ValueError(f"{name} does not have the type or shape that a fit gives it")
    if "coefs_" not in attributes:
        return
    network = mlp._network(mlp._arrays())
    n_features, n_outputs = network.n_features, network.n_outputs
    _check_same(mlp, "n_features_in_", n_features)
    _check_same(mlp, "n_outputs_", n_outputs)
    _check_same(mlp, "n_layers_", len(mlp.coefs_) + 1)
    if "feature_names_in_" in attributes:
        _check_length("feature_names_in_", mlp.feature_names_in_, (n_features,))
    if "dead_units_" in attributes:
        units = [len(coef) for coef in mlp.coefs_[1:]]
        if [len(dead) for dead in mlp.dead_units_] != units:
            raise ValueError(f"dead_units_ does not fit hidden layers of {units} units")
    if is_classifier(mlp):
        _check_length("classes_", mlp.classes_, (n_outputs,) if n_outputs > 1 else (1, 2))
        if not np.array_equal(mlp._label_binarizer.classes_, mlp.classes_):
            raise ValueError("classes_ are not the classes of _label_binarizer")
    if "_optimizer" in attributes:
        n = sum(array.size for group in mlp._arrays() for array in group if array is not None)
        if [array.shape for array in mlp._optimizer.state] != [(n,)] * mlp._optimizer.n_states:
            raise ValueError(f"the optimizer's state does not fit a network of {n} parameters")


def _check_same(mlp: Any, name: str, value: int) -> None:
    if getattr(mlp, name) != value:
        raise ValueError(f"{name}={getattr(mlp, name)}, but coefs_ are for {name}={value}")


def _check_length(name: str, value: Collection[Any], lengths: tuple[int, ...]) -> None:
    if len(value) not in lengths:
        raise ValueError(f"{name} has {len(value)} entries, but coefs_ are for {lengths[-1]}")


# ---- objects in an estimator that are stored as their attributes ----


def _like(make: Callable[[], object]) -> Callable[[Attributes], None]:
    """Return a check that attributes have the names and types of those of `make()`, and no number is negative."""

    def check(attributes: Attributes) -> None:
        template = vars(make())
        if attributes.keys() != template.keys():
            raise ValueError(f"the attributes are {', '.join(map(str, attributes))}, not {', '.join(template)}")
        for name, known in template.items():
            if not _is_like(attributes[name], known):
                raise ValueError(f"{name} does not have the type or sign that a fit gives it")

    return check


def _is_like(value: Any, known: object) -> bool:
    if isinstance(known, bool):
        return isinstance(value, bool | np.bool_)
    if isinstance(known, int):
        return _is_count(value)
    if isinstance(known, float):
        return _is_real(value) and value >= 0
    if isinstance(known, list):
        return _all(_is_array)(value)
    if isinstance(known, dict):
        if not isinstance(value, dict) or not known.keys() <= value.keys() <= known.keys() | set(GROUPS):
            return False  # the schedules of all fits, and of those groups of parameters that the user gave one
        return all(map(_is_schedule, value.values()))
    if isinstance(known, np.ndarray):
        return _is_array(value, "biufUO")
    return isinstance(value, Schedule if isinstance(known, Schedule) else type(known))


def add_optimizers(estimator: Any) -> None:
    """Let files contain the state of a solver, with the attributes that it has for an estimator like this one."""
    for cls in STOCHASTIC.values():
        encoding.add_class(cls, _optimizer(cls, estimator))


def _optimizer(cls: type[Stochastic], estimator: Any) -> Callable[[Attributes], None]:
    like = _like(lambda: cls(np.zeros(1), estimator))

    def check(attributes: Attributes) -> None:
        like(attributes)
        if len(attributes["state"]) != cls.n_states:
            raise ValueError(f"{cls.__name__} has {cls.n_states} states")

    return check


def _schedule(cls: type[Schedule]) -> Callable[[Attributes], None]:
    like = _like(lambda: cls(0.1, 1))

    def check(attributes: Attributes) -> None:
        like(attributes)
        if attributes["n_epochs"] < 1:
            raise ValueError("n_epochs is not positive")
        for name, (_, constraint) in cls.parameters.items():
            if not constraint.test(attributes[name]):
                raise ValueError(f"{name} must be {constraint.description}")

    return check


def _check_binarizer(attributes: Attributes) -> None:
    _like(lambda: LabelBinarizer().fit(["a", "b"]))(attributes)
    coded_by = [attributes[name] for name in ("neg_label", "pos_label", "sparse_output")]
    if attributes["y_type_"] not in LABELS or coded_by != [0, 1, False]:
        raise ValueError("labels must be encoded as 0 and 1")


def _check_embedding(attributes: Attributes) -> None:
    columns = np.zeros(0, np.intp)
    like = vars(InputEmbedding(1, columns, columns, columns, columns, None, {}))
    dimensions = {"frequencies": 2, "phases": 2, "weights": 3, "biases": 2, "levels": 2, "scales": 1}
    arrays = attributes.get("arrays")
    right = (
        attributes.keys() == like.keys()
        and _is_count(attributes["n_features"])
        and all(_is_array(attributes[name], "i") for name in ("numeric", "plain", "categorical", "n_levels"))
        and (attributes["kind"] is None or attributes["kind"] in registry.embeddings)
        and isinstance(arrays, dict)
        and arrays.keys() <= dimensions.keys()
        and all(_is_array(array, "f", dimensions[name]) for name, array in arrays.items())
    )
    if not right:  # how the arrays go together is checked by `Network`
        raise ValueError("the embedding is not as a fit leaves it")


encoding.add_class(LabelBinarizer, _check_binarizer)
encoding.add_class(InputEmbedding, _check_embedding)
for _schedule_cls in SCHEDULES.values():
    encoding.add_class(_schedule_cls, _schedule(_schedule_cls))
