"""scikit-learn's own checks of estimators, none expected to fail."""

from helpers import few_epochs
from sklearn.utils.estimator_checks import parametrize_with_checks

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor

# One for each way in which the core treats an activation: kept by its output, kept by its input, with parameters,
# learned slopes, drawn slopes, along the row, gated, competing, the user's own. The slopes are drawn from one value, as
# the checks compare weighted rows with repeated ones, each of which would draw its own.
FAMILIES = (
    {"activation": "relu"},
    {"activation": "silu"},
    {"activation": ("leaky_relu", {"negative_slope": 0.2})},
    {"activation": "prelu"},
    {"activation": ("rrelu", {"lower": 0.2, "upper": 0.2})},
    {"activation": "softmax", "hidden_layer_sizes": 10, "learning_rate_init": 0.1},  # each of 30 would be 0.03
    {"activation": "glu"},
    {"activation": ("maxout", {"num_pieces": 3})},
    {"activation": (pr.softsign, pr.derivative.softsign)},
)

# Some checks fit a regressor to values of some hundred, where gradient descent, scikit-learn's too (with "identity"),
# diverges unless its steps are bounded.
SOLVERS = (
    {"solver": "adam", "max_iter": 50, "hidden_layer_sizes": 30, "learning_rate_init": 0.01},
    {"solver": "adamw", "max_iter": 50, "hidden_layer_sizes": 30, "learning_rate_init": 0.01},
    {"solver": "sgd", "max_iter": 50, "hidden_layer_sizes": 30, "clip_norm": 10.0, "learning_rate_init": 0.01},
    {
        "solver": "lbfgs",
        "max_iter": 30,
        "alpha": 0.1,
        "hidden_layer_sizes": 20,
    },  # less held back, it amplifies rounding
)

# Every family, and every solver of either class; not each with each, as what computes a layer, a loss and an update does
# not know of the others.
ESTIMATORS = [
    (MLPClassifier, MLPRegressor)[i % 2](**SOLVERS[i // 2 % len(SOLVERS)] | family) for i, family in enumerate(FAMILIES)
]


@few_epochs
@parametrize_with_checks(ESTIMATORS)
def test_estimator(estimator, check):
    check(estimator)
