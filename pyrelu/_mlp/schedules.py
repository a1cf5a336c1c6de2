"""The estimators' `learning_rate=`: how the rate changes from epoch to epoch, one class per schedule."""

import math
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeGuard

from pyrelu._mlp.constraints import Constraint, not_negative, one_of, positive, positive_int, real
from pyrelu.exceptions import InvalidParameterError

Given = str | tuple[str, Mapping[str, Any]] | Callable[[int], float]
Parameters = Mapping[str, tuple[Any, Constraint]]  # name -> default, constraint


class Schedule:
    """How the learning rate changes. The estimators' documentation shows the docstrings of the subclasses.

    Parameters
    ----------
    initial : float
        The estimator's `learning_rate_init`.
    n_epochs : int
        Its `max_iter`.
    power_t : float
        Its parameter of that name.
    **values
        The schedule's own parameters.
    """

    parameters: ClassVar[Parameters] = {}
    for_adam = True  # whether the solvers other than "sgd" follow it; scikit-learn's do not
    ends_with_max_iter = False  # a different max_iter would give a different fit

    def __init__(self, initial: float, n_epochs: int, power_t: float = 0.5, **values: Any) -> None:
        self.initial = float(initial)
        self.n_epochs = n_epochs
        self.power_t = power_t
        vars(self).update({name: default for name, (default, _) in self.parameters.items()} | values)

    def rate(self, epoch: int, last: float) -> float:
        """Return the rate of an epoch, counted from 0, given the previous rate."""
        return last

    def after(self, rate: float, n_samples_seen: int) -> float:
        """Return the rate after an epoch, given the estimator's `t_`."""
        return rate

    def _share(self, epoch: int) -> float:
        """Return the share of training that is over in the middle of an epoch: 1 where partial_fit goes on."""
        return min((epoch + 0.5) / self.n_epochs, 1.0)

    def stall(self, rate: float) -> tuple[float | None, str]:
        """Return the rate with which to continue stalled training, or None to stop, and a message that says so."""
        return None, "Stopping."


class Constant(Schedule):
    """It stays at `learning_rate_init`."""


class InverseScaling(Schedule):
    """With solver "sgd", ``learning_rate_init / t_ ** power_t`` after each epoch."""

    for_adam = False

    def after(self, rate: float, n_samples_seen: int) -> float:
        return self.initial / _power(n_samples_seen + 1, self.power_t)


class Adaptive(Schedule):
    """With solver "sgd", divided by 5 each time the loss (or the validation score) has stalled for `n_iter_no_change`
    epochs.
    """

    for_adam = False

    def stall(self, rate: float) -> tuple[float | None, str]:
        if rate <= 1e-6:
            return None, "Learning rate too small. Stopping."
        return rate / 5, f"Setting learning rate to {rate / 5:f}"


class Cosine(Schedule):
    """Half a cosine from `learning_rate_init` to ``eta_min`` (Loshchilov and Hutter, 2016, without restarts)."""

    eta_min: float
    parameters: ClassVar[Parameters] = {"eta_min": (0.0, not_negative)}
    ends_with_max_iter = True

    def rate(self, epoch: int, last: float) -> float:
        return _cosine(self.initial, self.eta_min, epoch / self.n_epochs)


class Step(Schedule):
    """Multiplied by ``gamma`` after every ``step_size`` epochs."""

    step_size: int
    gamma: float
    parameters: ClassVar[Parameters] = {"step_size": (30, positive_int), "gamma": (0.1, positive)}

    def rate(self, epoch: int, last: float) -> float:
        return self.initial * _power(self.gamma, epoch // self.step_size)


class OneCycle(Schedule):
    """Up from ``learning_rate_init / div_factor`` to `learning_rate_init` over the fraction ``pct_start`` of the epochs,
    then down to ``1 / final_div_factor`` of the start, both along half a cosine (Smith and Topin, 2017).
    """

    pct_start: float
    div_factor: float
    final_div_factor: float
    parameters: ClassVar[Parameters] = {
        "pct_start": (0.3, real("(0, 1)", lambda value: 0 < value < 1)),
        "div_factor": (25.0, positive),
        "final_div_factor": (1e4, positive),
    }
    ends_with_max_iter = True

    def rate(self, epoch: int, last: float) -> float:
        start = self.initial / self.div_factor
        peak, end = self.pct_start * self.n_epochs - 1, self.n_epochs - 1
        if epoch < peak:
            return _cosine(start, self.initial, epoch / peak)
        share = (epoch - peak) / (end - peak)
        return _cosine(self.initial, start / self.final_div_factor, share)


class Coslog4(Schedule):
    """Four cosine waves between 0 and `learning_rate_init`, each about twice as long as the one before:
    ``(1 - cos(2 pi log2(1 + 15 t)))/2`` at the share t of the epochs (Holzmueller et al., 2024).
    """

    ends_with_max_iter = True

    def rate(self, epoch: int, last: float) -> float:
        return self.initial * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * self._share(epoch)))) / 2


class FlatCos(Schedule):
    """`learning_rate_init` for half of the epochs, then half a cosine to 0."""

    ends_with_max_iter = True

    def rate(self, epoch: int, last: float) -> float:
        return _cosine(self.initial, 0.0, max(2 * self._share(epoch) - 1, 0))


class Called(Schedule):
    """The rate, or the factor, that the user's function returns for each epoch."""

    def __init__(
        self, function: Callable[[int], float], what: str, initial: float, n_epochs: int, power_t: float
    ) -> None:
        super().__init__(initial, n_epochs, power_t)
        self.function = function
        self.what = what

    def rate(self, epoch: int, last: float) -> float:
        rate = self.function(epoch)
        if self.what == "learning_rate":
            allowed, right = "greater than 0", positive.test(rate)
        else:
            allowed, right = "in the range [0, 1]", not_negative.test(rate) and rate <= 1
        if not right or not math.isfinite(rate):
            raise ValueError(
                f"{self.what}={self.function!r} must return a finite float {allowed} for each epoch. Got {rate!r} for "
                f"epoch {epoch}."
            )
        return float(rate)


def _power(base: float, exponent: float) -> float:
    """Return a power, which may be infinite; the fit deals with rates of 0 or infinity."""
    try:
        return float(float(base) ** exponent)
    except OverflowError:
        return math.inf


def _cosine(start: float, end: float, share: float) -> float:
    """Half a cosine from `start`, at a share of 0, to `end`, at 1 and beyond."""
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1))) / 2


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "cosine": Cosine,
    "step": Step,
    "one_cycle": OneCycle,
    "coslog4": Coslog4,
    "flat_cos": FlatCos,
}

SCHEDULE = (  # the constraint on `learning_rate`
    one_of(*SCHEDULES)
    | Constraint("a pair of such a name and a dict of its parameters", lambda value: _is_pair(value))
    | Constraint("a callable epoch -> rate", callable)
)


def _is_pair(value: object) -> TypeGuard[tuple[str, dict[str, Any]]]:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and one_of(*SCHEDULES).test(value[0])
        and isinstance(value[1], dict)
    )


def resolve(mlp: Any) -> Schedule:
    """Return the Schedule that the estimator's parameters specify.

    Examples
    --------
    >>> from pyrelu import MLPClassifier
    >>> schedule = resolve(MLPClassifier(learning_rate=("step", {"step_size": 2}), learning_rate_init=1.0))
    >>> [schedule.rate(epoch, None) for epoch in range(4)]
    [1.0, 1.0, 0.1, 0.1]
    """
    of_mlp = mlp.learning_rate_init, mlp.max_iter, mlp.power_t
    schedule = _resolve("learning_rate", mlp.learning_rate, of_mlp)
    return schedule if schedule.for_adam or mlp.solver == "sgd" else Constant(*of_mlp)


# Those that depend on the epoch alone.
FACTORS = {name: cls for name, cls in SCHEDULES.items() if cls.for_adam}

FACTOR_SCHEDULE = (  # the constraint on `alpha_schedule` and `dropout_schedule`
    one_of(*FACTORS)
    | Constraint(
        "a pair of such a name and a dict of its parameters", lambda value: _is_pair(value) and value[0] in FACTORS
    )
    | Constraint("a callable epoch -> factor", callable)
)


def resolve_factor(mlp: Any, name: str, given: Given) -> Schedule:
    """Return the Schedule of a factor that begins, or is at most, 1."""
    if not FACTOR_SCHEDULE.test(given):
        raise InvalidParameterError(f"The {name} must be {FACTOR_SCHEDULE.description}. Got {given!r} instead.")
    schedule = _resolve(name, given, (1.0, mlp.max_iter, mlp.power_t))
    if not isinstance(schedule, Called | Constant):  # a function is called for one epoch at a time
        for epoch in {*range(0, mlp.max_iter, max(mlp.max_iter // 100, 1)), mlp.max_iter - 1}:
            if not 0 <= schedule.rate(epoch, 1.0) <= 1:
                raise InvalidParameterError(
                    f"{name}={given!r} gives the factor {schedule.rate(epoch, 1.0):g} for epoch {epoch}; it must be in "
                    "the range [0, 1]"
                )
    return schedule


def _resolve(what: str, given: Given, of_mlp: tuple[float, int, float]) -> Schedule:
    if callable(given):
        return Called(given, what, *of_mlp)
    name, values = given if isinstance(given, tuple) else (given, {})
    cls = SCHEDULES[name]
    for parameter, value in values.items():
        if parameter not in cls.parameters:
            known = ", ".join(cls.parameters) or "none"
            raise InvalidParameterError(f"{what}={given!r} has no parameter {parameter!r}; {name!r} has: {known}")
        constraint = cls.parameters[parameter][1]
        if not constraint.test(value):
            raise InvalidParameterError(
                f"{parameter!r} of {what}={given!r} must be {constraint.description}. Got {value!r} instead."
            )
    return cls(*of_mlp, **values)


def describe() -> str:
    """Return the estimators' documentation of the schedules."""
    lines: list[str] = []
    for name, cls in SCHEDULES.items():
        defaults = ", ".join(f"{parameter}={default:g}" for parameter, (default, _) in cls.parameters.items())
        text = f'- "{name}"{f" ({defaults})" if defaults else ""}: {" ".join((cls.__doc__ or "").split())}'
        lines += textwrap.wrap(text, 112, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False)
    return "\n".join(lines)
