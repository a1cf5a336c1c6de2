"""The allowed values of each parameter of the estimators, in one list that refers to the tables of choices."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from pyrelu._mlp.constraints import (
    Constraint,
    boolean,
    check,
    fraction,
    is_sequence,
    none,
    not_negative,
    one_of,
    positive,
    positive_int,
    real,
    string,
)
from pyrelu._mlp.embedding import COLUMNS, NUMERIC_EMBEDDING
from pyrelu._mlp.initializers import COMMON, INITIALIZERS, UNIT_VARIANCE, is_known
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.param_groups import PARAM_GROUPS
from pyrelu._mlp.schedules import FACTOR_SCHEDULE, SCHEDULE
from pyrelu._network import MAX_MEMBERS

# bool is a subclass of int, but not a size.
layer_size = Constraint(
    positive_int.description, lambda value: positive_int.test(value) and not isinstance(value, bool)
)
layer_sizes = Constraint(
    "a sequence of ints in the range [1, inf), one per hidden layer",
    lambda value: is_sequence(value) and all(map(layer_size.test, value)),
)
fractions = Constraint(
    "a sequence of floats in the range [0, 1), for the input and each hidden layer",
    lambda value: is_sequence(value) and all(map(fraction.test, value)),
)
seed = Constraint(
    "None, an int in the range [0, 2**32 - 1] or a numpy.random.RandomState",
    lambda value: (
        value is None
        or value is np.random
        or isinstance(value, np.random.RandomState)
        or (isinstance(value, Integral) and 0 <= int(value) < 2**32)
    ),
)
weights = Constraint(
    "a dict of label: weight with weights in the range [0, inf)",
    lambda value: (
        isinstance(value, dict) and all(not_negative.test(weight) and weight < np.inf for weight in value.values())
    ),
)
list_of_weights = Constraint(
    "a list of such dicts, one per column of y",
    lambda value: isinstance(value, list) and all(map(weights.test, value)),
)

CONSTRAINTS = {
    "hidden_layer_sizes": layer_size | layer_sizes,
    "solver": one_of("lbfgs", *STOCHASTIC),
    "alpha": not_negative,
    "batch_size": positive_int | one_of("auto"),
    "learning_rate": SCHEDULE,
    "learning_rate_init": positive,
    "power_t": not_negative,
    "max_iter": positive_int,
    "shuffle": boolean,
    "random_state": seed,
    "tol": not_negative,
    "verbose": boolean | Constraint("an int", lambda value: isinstance(value, Integral)),
    "warm_start": boolean,
    "momentum": real("[0, 1]", lambda value: 0 <= value <= 1),
    "nesterovs_momentum": boolean,
    "early_stopping": boolean,
    "validation_fraction": fraction,
    "beta_1": fraction,
    "beta_2": fraction,
    "epsilon": positive,
    "n_iter_no_change": positive_int | Constraint("inf", lambda value: isinstance(value, Real) and value == np.inf),
    "max_fun": positive_int,
    "dropout": fraction | fractions,
    "init": Constraint(
        f"one of 'auto', {UNIT_VARIANCE!r}, {', '.join(map(repr, INITIALIZERS))}, or a pair of one of the latter and a dict "
        f"of its parameters ({', '.join(f'{p} of {name}' for name, i in INITIALIZERS.items() for p in i.parameters)}, each "
        f"a float in the range (0, inf); of all {', '.join(f'{name}, {what}' for name, (_, what, _) in COMMON.items())}), "
        "or a callable",
        is_known,
    ),
    "l1": not_negative,
    "clip_norm": positive | none,
    "scoring": string | Constraint("a callable", callable) | none,
    "n_threads": positive_int | none,
    "numeric_embedding": NUMERIC_EMBEDDING,
    "numeric_features": COLUMNS,
    "categorical_features": COLUMNS,
    "embedding_size": positive_int,
    "scale_inputs": boolean,
    "parametric_activation": boolean,
    "param_groups": PARAM_GROUPS,
    "alpha_schedule": FACTOR_SCHEDULE,
    "dropout_schedule": FACTOR_SCHEDULE,
    "drop_last": boolean,
    "ensemble_size": Constraint(
        f"an int in the range [1, {MAX_MEMBERS}]", lambda value: layer_size.test(value) and value <= MAX_MEMBERS
    ),
    "class_weight": weights | list_of_weights | one_of("balanced") | none,
    "label_smoothing": fraction,
}


def check_parameters(estimator: Any, constraints: Mapping[str, Constraint] = CONSTRAINTS) -> None:
    """Raise InvalidParameterError for the first parameter that is not allowed."""
    for name, value in estimator.get_params(deep=False).items():
        if name in constraints:
            check(estimator, name, value, constraints[name])
