"""What each parameter of the tabular estimators and of their preprocessor may be, beside those that are as an MLP's."""

from numbers import Integral

import numpy as np

from pyrelu._mlp import allowed
from pyrelu._mlp.constraints import Constraint, boolean, is_sequence, none, one_of, positive_int
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu.tabular._presets import PRESETS

columns = Constraint(
    "a mask of columns, their positions or their names",
    lambda value: (
        is_sequence(value)
        and np.ndim(value) == 1
        and (
            all(isinstance(item, str) for item in value)
            or all(isinstance(item, bool | np.bool_) for item in value)
            or all(isinstance(item, Integral) and not isinstance(item, bool) for item in value)
        )
    ),
)

splitter = Constraint(
    "None, an int in the range [2, inf), a scikit-learn splitter or an iterable of (training, held out) rows",
    lambda value: (
        value is None
        or (isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 2)
        or hasattr(value, "split")
        or (np.iterable(value) and not isinstance(value, str | bytes | dict))
    ),
)

# Of the estimators, None stands for the preset's value.
FROM_PRESET = (
    "ensemble_size",
    "hidden_layer_sizes",
    "activation",
    "learning_rate_init",
    "max_iter",
    "batch_size",
    "dropout",
    "alpha",
    "label_smoothing",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
)

CONSTRAINTS = (
    allowed.CONSTRAINTS
    | {name: allowed.CONSTRAINTS[name] | none for name in FROM_PRESET if name in allowed.CONSTRAINTS}
    | {
        "preset": one_of(*PRESETS),
        "n_members": positive_int,
        "cv": splitter,
        "refit": boolean | none,
        "calibrate": boolean,
        "network_params": none | Constraint("a dict", lambda value: isinstance(value, dict)),
        "categorical_features": one_of("from_dtype") | columns,
        "max_one_hot": Constraint(
            "an int in the range [0, inf)",
            lambda value: isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0,
        ),
        "numeric": one_of("robust", "standard", "quantile"),
        "add_indicator": boolean,
        "dtype": one_of("float32", "float64"),
    }
)

# Of `network_params`: whatever an MLP takes, but a solver that trains epoch by epoch, from the start.
NETWORK_CONSTRAINTS = allowed.CONSTRAINTS | {
    "solver": one_of(*STOCHASTIC),
    "numeric_features": Constraint("None: the preprocessor tells numbers from categories", lambda value: value is None),
    "warm_start": Constraint("False: each fit begins anew", lambda value: value is False),
}
