"""The estimators' parameters, attributes and warnings in words, and constructors that share them.

A parameter is written here, in a constructor's signature and body (`BasePerceptron.__init__`, or that of the one class
that has it), and in `allowed.CONSTRAINTS`.
"""

import functools
import inspect
import textwrap

from sklearn.base import ClassifierMixin

from pyrelu import registry
from pyrelu._mlp import losses
from pyrelu._mlp.initializers import INITIALIZERS
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.schedules import describe

PARAMETERS = """\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Units of each hidden layer; `()` for none.
activation : str, (str, dict), (callable, callable) or sequence of such, default="relu"
    Activation of the hidden layers: a name or alias in `pyrelu.activations`; with its parameters, as in
    ``("leaky_relu", {"negative_slope": 0.2})``; or one of these for each hidden layer.
solver : {SOLVER_NAMES}, default="adam"
    How the loss is minimised. What each step does is in `pyrelu.registry.optimizers`.

    - "lbfgs": L-BFGS on all data, for small data sets.
{SOLVERS}

    "lion" moves every weight by the learning rate, which is to be some ten times smaller than Adam's; its authors take
    ``beta_2=0.99``, as do those of "rmsprop".
alpha : float, default=0.0001
    Strength of the L2 penalty on the weights. The penalty is divided by the batch's number of rows.
    With {DECOUPLED} there is no penalty in the loss: each step takes ``learning_rate * alpha`` of every
    weight away from it ("lamb": as a part of the step that it scales).
batch_size : int or "auto", default="auto"
    Rows in a batch; "auto" is ``min(200, n_samples)``. L-BFGS has no batches.
learning_rate : str, (str, dict) or callable, default="constant"
    How the learning rate changes, over `max_iter` epochs: a name from this list; with its parameters, as in
    ``("step", {"step_size": 10})``; or a callable that takes the epoch, counted from 0, and returns its rate. L-BFGS has
    none. Each fit begins anew, partial_fit goes on.

{SCHEDULES}
learning_rate_init : float, default=0.001
    The learning rate at the start; of "one_cycle" the largest.
power_t : float, default=0.5
    Exponent of "invscaling".
max_iter : int, default=200
    The largest number of epochs, or of iterations of L-BFGS.
shuffle : bool, default=True
    Whether to shuffle the rows before each epoch.
random_state : int, RandomState instance or None, default=None
    Determines the first weights, the validation split, the shuffling, and what else a fit draws.
tol : float, default=1e-4
    An epoch that does not lower the loss (raise the validation score) by as much has not improved.
verbose : bool or int, default=False
    True prints the loss of each epoch as scikit-learn does, as do 2 and more; 1 shows a progress bar instead, where tqdm
    is installed (``pip install tqdm``).
warm_start : bool, default=False
    Whether `fit` goes on from the last solution.
momentum : float, default=0.9
    Momentum of {momentum}, between 0 and 1.
nesterovs_momentum : bool, default=True
    Whether that is Nesterov's.
early_stopping : bool, default=False
    Whether to hold out some rows, or take `eval_set`, and stop once the score on them stalls; L-BFGS ignores it. As in
    scikit-learn, the split is stratified where there are two classes, and random where there are more, so that a rare
    class may have no row in it. The weights of the epoch with the best score are kept.
validation_fraction : float, default=0.1
    Share of the rows to hold out.
beta_1 : float, default=0.9
    Decay of the running mean of the gradient, in [0, 1), of {beta_1}.
beta_2 : float, default=0.999
    Decay of the running mean of the squared gradient, in [0, 1), of {beta_2}; of "lion" the second one of the gradient.
epsilon : float, default=1e-8
    Keeps the step of {epsilon} finite.
n_iter_no_change : int or inf, default=10
    How many epochs may pass without improvement before training stops.
max_fun : int, default=15000
    The largest number of evaluations of the loss by L-BFGS.
dropout : float or sequence of float, default=0.0
    Probability, in [0, 1), with which training drops a unit for a row (Srivastava et al., 2014): of the hidden units;
    or one for the input and one for each hidden layer. What is kept is scaled up, and predictions drop nothing.
init : str, (str, dict) or callable, default="auto"
    How the first weights are drawn. "auto" is as scikit-learn does it: uniform up to sqrt(6/(fan_in + fan_out)), with
    sigmoid sqrt(2/(fan_in + fan_out)), the biases too. With all others the biases are 0:

{INITIALIZERS}

    The last two take a parameter, as in ``("orthogonal", {"gain": 2.0})``. A function is called with the shape
    (fan_in, fan_out) and the `numpy.random.RandomState` of the fit, and returns the weights.
l1 : float, default=0.0
    Strength of an L1 penalty on the weights, divided by the batch's number of rows as alpha's is.
clip_norm : float or None, default=None
    The largest norm of a batch's gradient, penalties included; a longer one is scaled down to it.
scoring : str, callable or None, default=None
    What scores the rows held out or `eval_set` after each epoch, higher being better: a name that scikit-learn knows as
    scorer, or a callable that takes the estimator, X and y (and, where it has a parameter of that name, sample_weight).
    None: accuracy or R2.
n_threads : int or None, default=None
    The largest number of threads of a fit or prediction; None: `pyrelu.get_num_threads()`. Results do not depend on it.
"""


def _in_words(names):
    """Return '"a", "b" and "c"'."""
    *others, last = [f'"{name}"' for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def _optimizers():
    """Return what the parameters' text says of the rows: placeholder -> text."""
    rows = [registry.optimizers[name] for name in STOCHASTIC]
    return {
        "{SOLVER_NAMES}": "{" + ", ".join(f'"{name}"' for name in ("lbfgs", *STOCHASTIC)) + "}",
        "{SOLVERS}": "\n".join(
            textwrap.fill(
                f'- "{row.name}": {row.summary}{f" {row.reference}." if row.reference else ""}',
                losses.WIDTH,
                initial_indent="    ",
                subsequent_indent="      ",
            )
            for row in rows
        ),
        "{DECOUPLED}": _in_words(row.name for row in rows if row.decoupled),
    } | {
        f"{{{name}}}": _in_words(row.name for row in rows if name in row.hyperparameters)
        for name in ("momentum", "beta_1", "beta_2", "epsilon")
    }


PARAMETERS = PARAMETERS.replace(
    "{INITIALIZERS}",
    "\n".join(f'    - "{name}": {how.formula} ({how.reference}).' for name, how in INITIALIZERS.items()),
)
for _placeholder, _text in _optimizers().items():
    PARAMETERS = PARAMETERS.replace(_placeholder, _text)

ATTRIBUTES = """\
coefs_ : list of ndarray
    Weights of each layer, of shape (n_inputs, n_outputs) of that layer.
intercepts_ : list of ndarray
    Biases of each layer, of shape (n_outputs,).
activation_weights_ : list
    For each hidden layer the slopes that were learned, of shape (n_units,), or None where its activation has none.
dead_units_ : list of ndarray of bool
    For each hidden layer, which units were 0 for every training row at the end of `fit`; after partial_fit or Ctrl-C,
    for every row of the last epoch when its batch came.
loss_ : float
    The loss of the last epoch.
best_loss_ : float or None
    The lowest loss of an epoch; None with early stopping.
loss_curve_ : list of float
    The loss of each epoch; under partial_fit of the last 1000.
history_ : list of dict
    A record of each epoch, or iteration of L-BFGS, that `pandas.DataFrame` takes; under warm_start and partial_fit going
    on, under partial_fit the last 1000: "epoch" (from 1), "loss", "validation_score" (where rows are scored),
    "learning_rate" (not L-BFGS), "gradient_norm" (mean over the batches, penalties included, before clipping)
    and "dead_units" (share of the hidden units that were 0 for every row of the epoch).
validation_scores_ : list of float or None
    Score on the held-out rows, with early stopping, or on `eval_set` after each epoch: `scoring`.
best_validation_score_ : float or None
    The best of them.
n_iter_ : int
    Epochs (iterations of L-BFGS) of the last fit.
t_ : int
    Training rows seen.
n_features_in_ : int
    Features seen by `fit`.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Their names, where X has names that are all strings.
n_layers_ : int
    Layers, counting the input and the output.
n_outputs_ : int
    Units of the output layer.
"""

WARNINGS = """\
ConvergenceWarning
    Where `max_iter` was reached before the loss stalled, unless the learning rate is "cosine" or "one_cycle" and
    has come to its end there.
DeadUnitWarning
    Where more than 40% of a hidden layer is dead.
"""


def extends(base):
    """Return a decorator that gives a constructor the parameters of `base`'s beside its own.

    Its own positional parameters come first, its keyword-only ones last.
    """
    shared = list(inspect.signature(base.__init__).parameters.values())[1:]

    def decorate(own):
        self, *added = inspect.signature(own).parameters.values()
        leading = [p for p in added if p.kind is p.POSITIONAL_OR_KEYWORD]
        signature = inspect.Signature([self, *leading, *shared, *(p for p in added if p.kind is p.KEYWORD_ONLY)])

        @functools.wraps(own)
        def __init__(*args, **kwargs):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{own.__qualname__}() {_in_pythons_words(error, signature, args)}") from None
            bound.apply_defaults()
            values = bound.arguments
            own(**{name: values.pop(name) for name in [p.name for p in added]}, **{self.name: values[self.name]})
            base.__init__(**values)

        __init__.__signature__ = signature
        return __init__

    return decorate


def _in_pythons_words(error, signature, args):
    """Return what Python says where a function is called with too many arguments, or the error's own words."""
    most = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in signature.parameters.values())
    if len(args) <= most:
        return str(error).replace("multiple values", "got multiple values")
    return f"takes from 1 to {most} positional arguments but {len(args)} were given"


def documented(cls):
    """Write the shared text into the class's docstring, in place of {PARAMETERS}, {LOSSES} and the like."""
    kind = losses.CLASSIFIER if issubclass(cls, ClassifierMixin) else losses.REGRESSOR
    texts = {
        "PARAMETERS": PARAMETERS.replace("{SCHEDULES}", describe()),
        "LOSSES": "\n".join(losses.describe(kind)),
        "ATTRIBUTES": ATTRIBUTES,
        "WARNINGS": WARNINGS,
    }
    lines = []
    for line in inspect.cleandoc(cls.__doc__).splitlines():
        name = line.strip().strip("{}")
        text = texts[name] if line.strip() == f"{{{name}}}" else None
        lines += [line] if text is None else [textwrap.indent(text.rstrip(), line[: line.index("{")])]
    cls.__doc__ = "\n".join(lines)
    return cls
