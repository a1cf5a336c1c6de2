"""Documentation of the estimators' parameters, attributes and warnings, and constructors that share parameters.

A new parameter is described here, assigned in a constructor (`BasePerceptron.__init__`, or that of the one class that
has it), and constrained in `allowed.CONSTRAINTS`.
"""

import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sklearn.base import ClassifierMixin

from pyrelu import registry
from pyrelu._mlp import embedding, losses
from pyrelu._mlp.initializers import INITIALIZERS
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._mlp.schedules import FACTORS, SCHEDULES, describe

Class = TypeVar("Class", bound=type)

PARAMETERS = """\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Number of units in each hidden layer; `()` for no hidden layers.
activation : str, (str, dict), (callable, callable) or sequence of such, default="relu"
    Activation of the hidden layers: a name or alias in `pyrelu.activations`; a pair of a name and its parameters, as in
    ``("leaky_relu", {"negative_slope": 0.2})``; a pair of your own functions (f, derivative); or a sequence with one of
    these per hidden layer.
solver : {SOLVER_NAMES}, default="adam"
    How the loss is minimised. `pyrelu.registry.optimizers` has the update rules.

    - "lbfgs": L-BFGS on all rows at once, for small data sets.
{SOLVERS}

    "lion" changes every weight by the learning rate, which should be about ten times smaller than Adam's. Its authors
    recommend ``beta_2=0.99``, as do those of "rmsprop".
alpha : float, default=0.0001
    Strength of the L2 penalty on the weights. The penalty is divided by the number of rows in the batch.
    {DECOUPLED} have decoupled weight decay instead of a penalty: each step reduces every weight by
    ``learning_rate * alpha`` times the weight ("lamb": before it scales the step).
batch_size : int or "auto", default="auto"
    Number of rows in a batch; "auto" is ``min(200, n_samples)``. L-BFGS does not use batches.
learning_rate : str, (str, dict) or callable, default="constant"
    The schedule of the learning rate over `max_iter` epochs: a name from this list; a pair of a name and its parameters,
    as in ``("step", {"step_size": 10})``; or a callable that takes the epoch, counted from 0, and returns its learning
    rate. L-BFGS does not use it. `fit` starts the schedule again; `partial_fit` continues it.

{SCHEDULES}
learning_rate_init : float, default=0.001
    The initial learning rate; for "one_cycle" the largest.
power_t : float, default=0.5
    Exponent of the schedule "invscaling".
max_iter : int, default=200
    The largest number of epochs, or of L-BFGS iterations.
shuffle : bool, default=True
    Whether to shuffle the rows before each epoch.
random_state : int, RandomState instance or None, default=None
    Seed or generator for the initial weights, the validation split, the shuffling and all other random choices of a fit.
tol : float, default=1e-4
    An epoch counts as an improvement only if it lowers the loss, or raises the validation score, by at least this much.
verbose : bool or int, default=False
    True, or 2 and more, prints the loss of each epoch in scikit-learn's words. 1 shows a progress bar instead, if tqdm is
    installed (``pip install tqdm``).
warm_start : bool, default=False
    Whether `fit` continues from the last solution.
momentum : float, default=0.9
    Momentum of {momentum}, in [0, 1].
nesterovs_momentum : bool, default=True
    Whether to use Nesterov's momentum.
early_stopping : bool, default=False
    Whether to hold out some of the rows, or use `eval_set`, and to stop when the score on them no longer improves. The
    weights of the epoch with the best score are kept. L-BFGS ignores it. As in scikit-learn, the split is stratified for
    two classes and random for more, so that it may contain no row of a rare class.
validation_fraction : float, default=0.1
    Fraction of the rows to hold out.
beta_1 : float, default=0.9
    Decay of the moving average of the gradient, in [0, 1), for {beta_1}.
beta_2 : float, default=0.999
    Decay of the moving average of the squared gradient, in [0, 1), for {beta_2}; for "lion", of the gradient.
epsilon : float, default=1e-8
    Prevents division by 0 in the steps of {epsilon}.
n_iter_no_change : int or inf, default=10
    The largest number of consecutive epochs without improvement; training stops at the next one.
max_fun : int, default=15000
    The largest number of evaluations of the loss by L-BFGS.
dropout : float or sequence of float, default=0.0
    Probability, in [0, 1), that training drops a unit for a row (Srivastava et al., 2014): one number for all hidden
    units, or a sequence of one for the input and one for each hidden layer. Units that are not dropped are scaled up.
    Predictions drop nothing.
init : str, (str, dict) or callable, default="auto"
    The distribution of the initial weights. "auto" is scikit-learn's: uniform up to sqrt(6/(fan_in + fan_out)), or with
    sigmoid sqrt(2/(fan_in + fan_out)), for weights and biases. All others set the biases to 0 unless told otherwise:

{INITIALIZERS}

    The last two take a parameter, as in ``("orthogonal", {"gain": 2.0})``. All of these take ``bias_std``, with which the
    biases are normal with that standard deviation (default 0), and ``zero_output``, with which weights and biases of the
    output layer are 0 (default False).

    "unit_variance" looks at up to 10,000 training rows: weights are normal and scaled so that each pre-activation, of
    every layer, has variance 1 on them, and each bias is minus a random convex combination of five of its
    pre-activations, so that units bend where the data is (Holzmueller et al., arXiv:2407.04491).

    A callable takes the shape (fan_in, fan_out) and the `numpy.random.RandomState` of the fit, and returns the weights.
l1 : float, default=0.0
    Strength of an L1 penalty on the weights, which is also divided by the number of rows in the batch.
clip_norm : float or None, default=None
    The largest norm of a batch's gradient, including penalties; a larger gradient is scaled down to it. None: no limit.
scoring : str, callable or None, default=None
    The score of the held-out rows, or of `eval_set`, after each epoch; higher is better. The name of a scikit-learn
    scorer, or a callable that takes the estimator, X and y (and sample_weight, if it has a parameter of that name).
    None: accuracy or R2.
n_threads : int or None, default=None
    The largest number of threads for a fit or a prediction; None: `pyrelu.get_num_threads()`. It does not change results.
numeric_embedding : str, (str, dict) or None, default=None
    What the first layer takes in place of a column of numbers x: x itself and linear combinations of features of it,
    which are learned for each column. A name from this list, or a pair of a name and its parameters, as in
    ``("periodic", {"sigma": 0.5})``. None: x alone. `pyrelu.registry.embeddings` has the formulas.

{EMBEDDINGS}

    "size" counts what a column becomes, x included, in [2, 64]. "sigma" is the standard deviation of the initial
    frequencies.
numeric_features : sequence of int, sequence of bool or None, default=None
    The columns to which `numeric_embedding` applies, as numbers or as a mask; None: all but `categorical_features`.
categorical_features : sequence of int, sequence of bool or None, default=None
    The columns that hold numbers of categories, from 0, as numbers or as a mask. Each category has a learned vector that
    takes its place. A number that the training rows do not reach counts as category 0. None: no columns.
embedding_size : int, default=8
    The length of the vector of a category; initially it is normal with variance 1.
scale_inputs : bool, default=False
    Whether each input of the first layer, after any embedding, is multiplied by a learned factor, initially 1.
parametric_activation : bool, default=False
    Whether hidden layers compute ``x + a*(f(x) - x)`` with a learned a for each unit, initially 1, in place of an
    elementwise activation f (Holzmueller et al., arXiv:2407.04491).
param_groups : dict or None, default=None
    Kind of parameters -> dict of its "learning_rate", a factor on the learning rate (default 1); "alpha", a factor on
    `alpha` and `l1`; and "schedule", a schedule of the former factor, as for `alpha_schedule`. For example,
    ``{"biases": {"learning_rate": 0.1}, "scales": {"learning_rate": 6.0}}``. L-BFGS uses "alpha" alone. The kinds:

{GROUPS}

    "weights" also takes "ntk", whether the learning rate of each layer is divided by sqrt(fan_in), as the neural tangent
    parametrization does (Jacot et al., arXiv:1806.07572).
alpha_schedule : str, (str, dict) or callable, default="constant"
    A factor in [0, 1] on `alpha` and `l1` that changes over the epochs as `learning_rate` does, with 1 in place of
    `learning_rate_init`:
    {FACTORS};
    or a callable that takes the epoch and returns the factor. L-BFGS does not use it.
dropout_schedule : str, (str, dict) or callable, default="constant"
    A factor in [0, 1] on `dropout`, like `alpha_schedule`.
drop_last : bool, default=False
    Whether an epoch ends with the last whole batch. The rows left over take part in other epochs if `shuffle` is True.
ensemble_size : int, default=1
    The number of networks, in [1, 1024], that are trained as one: they share the hidden layers' weights, and each has its own
    biases, output layer and factors of the inputs and outputs of each hidden layer (TabM, Gorishniy et al.,
    arXiv:2410.24210, with 32; BatchEnsemble, Wen et al., arXiv:2002.06715). The loss is the mean of theirs, and predictions
    are the mean of their outputs. A fit takes as long as that of so many networks, with as much memory as that of one. X
    must be dense. `members` returns each as a network of its own.
"""


def _in_words(names: Iterable[str]) -> str:
    """Return '"a", "b" and "c"'."""
    *others, last = [f'"{name}"' for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def _optimizers() -> dict[str, str]:
    """Return the parts of `PARAMETERS` that come from the table of optimizers: placeholder -> text."""
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
PARAMETERS = PARAMETERS.replace("{EMBEDDINGS}", embedding.describe())
PARAMETERS = PARAMETERS.replace(
    "{GROUPS}",
    "\n".join(f'    - "{row.name}", alpha {row.alpha:g}: {row.summary}' for row in registry.parameter_groups.values()),
)
PARAMETERS = PARAMETERS.replace("{FACTORS}", _in_words(FACTORS))
for _placeholder, _text in _optimizers().items():
    PARAMETERS = PARAMETERS.replace(_placeholder, _text)

ATTRIBUTES = """\
coefs_ : list of ndarray
    Weights of each layer, of shape (n_inputs, n_outputs) of that layer.
intercepts_ : list of ndarray
    Biases of each layer, of shape (n_outputs,).
activation_weights_ : list
    What each hidden layer has learned for its activation, the slopes of "prelu" or the factors of
    `parametric_activation`, of shape (n_units,); None if nothing.
adapters_ : list of ndarray
    With `ensemble_size`: for each hidden layer the factors of its inputs, of shape (`ensemble_size`, n_inputs), then those of
    its outputs before biases and activation, of shape (`ensemble_size`, n_outputs). `intercepts_` then have the biases of
    the first member, then those of the next, and so have the columns of the output layer's weights.
embedding_ : InputEmbedding
    From the columns of X to the inputs of the first layer: `transform(X)` returns these, and `arrays` what has been
    learned. Only with `numeric_embedding`, `categorical_features` or `scale_inputs`.
dead_units_ : list of ndarray of bool
    For each hidden layer, which units are 0 for every training row at the end of `fit`. After partial_fit or Ctrl-C:
    which units were 0 for every row during the last epoch.
loss_ : float
    The loss of the last epoch.
best_loss_ : float or None
    The lowest loss of an epoch; None with early stopping.
loss_curve_ : list of float
    The loss of each epoch; with partial_fit, of the last 1000.
history_ : list of dict
    One record per epoch, or L-BFGS iteration, for `pandas.DataFrame`: "epoch" (from 1), "loss", "validation_score" (if
    rows are scored), "learning_rate" (not with L-BFGS), "gradient_norm" (mean over the batches, including penalties,
    before clipping) and "dead_units" (share of the hidden units that were 0 for every row of the epoch). warm_start and
    partial_fit append to it; partial_fit keeps the last 1000 records.
validation_scores_ : list of float or None
    The score after each epoch, on the held-out rows with early stopping, or on `eval_set`; see `scoring`.
best_validation_score_ : float or None
    The best validation score.
n_iter_ : int
    Number of epochs, or L-BFGS iterations, in the last fit.
t_ : int
    Number of training rows seen.
n_features_in_ : int
    Number of features seen by `fit`.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the features, if X has feature names that are all strings.
n_layers_ : int
    Number of layers, including the input and the output.
n_outputs_ : int
    Number of units in the output layer.
"""

WARNINGS = """\
ConvergenceWarning
    If `max_iter` is reached before training converges, unless the learning rate is one of those that end there:
    {ENDING}.
DeadUnitWarning
    If more than 40% of the units in a hidden layer are dead.
"""


WARNINGS = WARNINGS.replace("{ENDING}", _in_words(name for name, cls in SCHEDULES.items() if cls.ends_with_max_iter))


def extends(base: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds the parameters of the base class's constructor to those of a constructor.

    The constructor's own positional parameters come first, its keyword-only ones last.
    """
    # Without annotations, as of the constructor: docstrings have the types, in shorter words, and stubs are made of these.
    of_base = list(inspect.signature(base.__init__).parameters.values())[1:]
    shared = [p.replace(annotation=p.empty) for p in of_base]

    def decorate(own: Callable[..., None]) -> Callable[..., None]:
        self, *added = inspect.signature(own).parameters.values()
        leading = [p for p in added if p.kind is p.POSITIONAL_OR_KEYWORD]
        signature = inspect.Signature([self, *leading, *shared, *(p for p in added if p.kind is p.KEYWORD_ONLY)])

        @functools.wraps(own)
        def __init__(*args: Any, **kwargs: Any) -> None:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{own.__qualname__}() {_in_pythons_words(error, signature, args)}") from None
            bound.apply_defaults()
            values = bound.arguments
            own(**{name: values.pop(name) for name in [p.name for p in added]}, **{self.name: values[self.name]})
            base.__init__(**values)

        vars(__init__)["__signature__"] = signature
        return __init__

    return decorate


def _in_pythons_words(error: TypeError, signature: inspect.Signature, args: tuple[Any, ...]) -> str:
    """Return the message that Python itself would give for a call with wrong arguments."""
    n_allowed = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in signature.parameters.values())
    if len(args) <= n_allowed:
        return str(error).replace("multiple values", "got multiple values")
    return f"takes from 1 to {n_allowed} positional arguments but {len(args)} were given"


def documented(cls: Class) -> Class:
    """Replace {PARAMETERS}, {LOSSES} and other placeholders in a class's docstring by the shared text."""
    kind = losses.CLASSIFIER if issubclass(cls, ClassifierMixin) else losses.REGRESSOR
    texts = {
        "PARAMETERS": PARAMETERS.replace("{SCHEDULES}", describe()),
        "LOSSES": "\n".join(losses.describe(kind)),
        "ATTRIBUTES": ATTRIBUTES,
        "WARNINGS": WARNINGS,
    }
    lines: list[str] = []
    for line in inspect.cleandoc(cls.__doc__ or "").splitlines():
        name = line.strip().strip("{}")
        text = texts[name] if line.strip() == f"{{{name}}}" else None
        lines += [line] if text is None else [textwrap.indent(text.rstrip(), line[: line.index("{")])]
    cls.__doc__ = "\n".join(lines)
    _hide_private_classes(cls)
    return cls


def _hide_private_classes(cls: type) -> None:
    """Rename inherited public methods, so that Python's errors say fit() and not BasePerceptron.fit()."""
    for base in cls.__mro__:
        if base.__module__.startswith("pyrelu._"):
            for name, member in vars(base).items():
                function = getattr(member, "__func__", member)
                if inspect.isfunction(function) and not name.startswith("_"):
                    function.__qualname__ = name
