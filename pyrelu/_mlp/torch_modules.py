"""Networks as modules of torch, and the reverse. torch is imported when it is needed.

Both packages have one vocabulary: an activation of the table and the module of torch.nn whose name differs in capitals and
underscores only are the same function, with parameters of the same names.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pyrelu import registry
from pyrelu._mlp import members
from pyrelu._mlp.activation import HiddenActivation, One, names, output_name, resolve
from pyrelu._typing import Floats

# What a module's constructor takes beside the parameters of the function
_NOT_OF_THE_FUNCTION = {"inplace", "dim", "num_parameters", "init", "device", "dtype"}
_ALONG_FEATURES = (None, 1, -1)  # for an input of shape (n_samples, n_features)
_WITHOUT_PARAMETERS = {"softmax", "log_softmax", "sigmoid"}  # what a classifier's network may end in


Named = tuple[str, Any]  # a module and its name in the Sequential


@dataclass
class Modules:
    """What a Sequential says of a network.

    Attributes
    ----------
    coefs, intercepts : list of ndarray
        As the estimators have them.
    activations : list of str or (str, dict)
        As `activation=` takes them, one for each hidden layer.
    slopes : list of ndarray or None
        Those of prelu.
    dropout : list of float
        Of the input and each hidden layer.
    output : str
        The output layer's activation, "identity" where there is none.
    """

    coefs: list[Any] = field(default_factory=list)
    intercepts: list[Any] = field(default_factory=list)
    activations: list[Any] = field(default_factory=list)
    slopes: list[Any] = field(default_factory=list)
    dropout: list[float] = field(default_factory=list)
    output: str = "identity"

    @property
    def n_outputs(self) -> int:
        """Of the last Linear."""
        return len(self.intercepts[-1])


# ---- from torch ----


def read(
    sequential: Any, for_classifier: bool, classes: ArrayLike | None
) -> tuple[dict[str, Any], dict[str, Any], np.ndarray]:
    """Return what an estimator of this network is made of.

    Parameters
    ----------
    sequential : torch.nn.Sequential
    for_classifier : bool
    classes : array-like or None
        The labels.

    Returns
    -------
    parameters, attributes : dict
    y : ndarray
        Targets of the kind that the network predicts.
    """
    described = _describe(sequential)
    y = _targets(described, for_classifier, classes)
    if for_classifier and y.ndim == 1 and len(y) == 2 and described.n_outputs == 2:
        _fold_two_outputs(described)
    dropout: float | list[float] = described.dropout
    if described.dropout[0] == 0 and len(set(described.dropout[1:])) <= 1:
        dropout = described.dropout[-1]
    same = described.activations[1:] == described.activations[:-1]
    parameters = {
        "hidden_layer_sizes": tuple(len(coef) for coef in described.coefs[1:]),
        "activation": (described.activations[0] if same else described.activations)
        if described.activations
        else "relu",
        "dropout": dropout,
    }
    attributes = {
        "coefs_": described.coefs,
        "intercepts_": described.intercepts,
        "activation_weights_": described.slopes,
        "n_features_in_": len(described.coefs[0]),
        "n_outputs_": described.n_outputs,
        "n_layers_": len(described.coefs) + 1,
    }
    return parameters, attributes, y


def _targets(described: Modules, for_classifier: bool, classes: ArrayLike | None) -> np.ndarray:
    n_outputs, output = described.n_outputs, described.output
    if not for_classifier:
        if output != "identity":
            raise ValueError(f"the Sequential ends in {output}, as a classifier's may; a regressor's ends in a Linear")
        if classes is not None:
            raise ValueError(f"classes={classes!r} are for a classifier")
        return np.ones((2, n_outputs))
    if output == "sigmoid" and n_outputs > 1:
        if classes is not None:
            raise ValueError(f"classes={classes!r}: the Sequential ends in Sigmoid of {n_outputs} labels without names")
        return np.zeros((2, n_outputs), int)
    if output in ("softmax", "log_softmax") and n_outputs == 1:
        raise ValueError(f"the Sequential ends in {output} of one output, which is constant")
    labels = np.arange(max(2, n_outputs)) if classes is None else np.asarray(classes)
    if labels.shape != (max(2, n_outputs),) or not np.array_equal(np.unique(labels), labels):
        raise ValueError(f"classes={classes!r} are not {max(2, n_outputs)} different labels in sorted order")
    return labels


def _fold_two_outputs(described: Modules) -> None:
    """Make one output of two, as an estimator has it for two classes: softmax of two is the sigmoid of their difference."""
    coef, intercept = described.coefs[-1], described.intercepts[-1]
    described.coefs[-1] = coef[:, 1:] - coef[:, :1]
    described.intercepts[-1] = intercept[1:] - intercept[:1]


def _describe(sequential: Any) -> Modules:
    """Return the `Modules` of a Sequential; raise ValueError that names what has no counterpart."""
    from torch import nn

    if not isinstance(sequential, nn.Sequential):
        raise TypeError(f"from_torch takes a torch.nn.Sequential, got {type(sequential).__name__}")
    layers: list[list[Named]] = [[]]  # for each Linear, and before the first, what follows it
    described = Modules()
    for name, module in _leaves(sequential):
        if isinstance(module, nn.Linear):
            described.coefs.append(_array(module.weight).T.copy())
            described.intercepts.append(
                np.zeros(module.out_features, described.coefs[-1].dtype) if module.bias is None else _array(module.bias)
            )
            layers.append([])
        else:
            layers[-1].append((name, module))
    if not described.coefs:
        raise ValueError("the Sequential has no Linear")
    dtype = np.result_type(*described.coefs)
    described.coefs = [coef.astype(dtype) for coef in described.coefs]
    described.intercepts = [intercept.astype(dtype) for intercept in described.intercepts]
    for i, following in enumerate(layers[:-1]):
        described.dropout.append(_take_dropout(following))
        if i:
            _read_hidden(described, i, following)
        elif following:
            raise _unknown(*following[0], "before the first Linear")
    _read_output(described, layers[-1])
    return described


def _leaves(sequential: Any) -> Iterator[Named]:
    """Return (name, module) of all modules in order, those of a Sequential inside included."""
    from torch import nn

    for name, module in sequential.named_children():
        if isinstance(module, nn.Sequential):
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in _leaves(module))
        else:
            yield name, module


def _array(tensor: Any) -> Floats:
    """Return a parameter as an array of float32, or float64 where it is that."""
    import torch

    wide = tensor.detach().cpu()
    array: Floats = (wide if wide.dtype == torch.float64 else wide.to(torch.float32)).numpy().copy()
    return array


def _take_dropout(following: list[Named]) -> float:
    """Take a Dropout from the end of what follows a layer, and return its probability."""
    from torch import nn

    if following and isinstance(following[-1][1], nn.Dropout):
        return float(following.pop()[1].p)
    return 0.0


def _read_hidden(described: Modules, i: int, following: list[Named]) -> None:
    """Add the activation between a Linear and the next one."""
    width, n_units = described.coefs[i - 1].shape[1], described.coefs[i].shape[0]
    activation: One = "identity"
    slopes: Floats | None = None
    if following:
        (name, module), *others = following
        if others:
            raise _unknown(*others[0], f"after {name!r}: one activation, then one Dropout, may follow a Linear")
        activation, weight = _activation(name, module)
        if weight is not None:
            slopes = np.broadcast_to(weight, n_units).astype(described.coefs[0].dtype)
    [resolved] = resolve(activation, 1)
    if resolved.width(n_units) != width:
        raise ValueError(f"a Linear of {n_units} inputs follows one of {width} outputs with activation={activation!r}")
    described.activations.append(activation)
    described.slopes.append(slopes)


def _read_output(described: Modules, following: list[Named]) -> None:
    if not following:
        return
    (name, module), *others = following
    if others:
        raise _unknown(*others[0], "after the last Linear and its activation")
    activation, _ = _activation(name, module)
    if not isinstance(activation, str) or activation not in _WITHOUT_PARAMETERS | {"identity"}:
        raise _unknown(name, module, f"at the end; there may be {', '.join(sorted(_WITHOUT_PARAMETERS))} or nothing")
    described.output = activation


def _activation(name: str, module: Any) -> tuple[One, Floats | None]:
    """Return the activation that a module is, as `activation=` takes it, and the slopes that it has learned."""
    ours = {known.replace("_", ""): known for known in reversed(names())}
    activation = ours.get(type(module).__name__.lower())
    if activation is None or _module_class(activation) is not type(module):
        raise _unknown(name, module)
    if getattr(module, "dim", -1) not in _ALONG_FEATURES:
        raise _unknown(name, module, f"with dim={module.dim}, as rows are samples")
    if activation == "prelu":
        return activation, _array(module.weight)
    row = registry.activations.get(activation)
    known: dict[str, Any] = {} if row is None else dict(row.parameters) | _choices(activation)
    given = {parameter: getattr(module, parameter) for parameter in known}
    for parameter, default in _parameters(type(module)).items():
        if parameter not in known and getattr(module, parameter, default) != default:
            raise _unknown(name, module, f"with {parameter}={getattr(module, parameter)!r}")
    given = {key: value for key, value in given.items() if value != known[key]}
    return (activation, given) if given else activation, None


def _choices(activation: str) -> dict[str, str]:
    """Return the parameter that selects a row, such as gelu's approximate, and its default."""
    return {
        row.choice_of[1]: "none"
        for row in registry.activations.values()
        if row.choice_of is not None and row.choice_of[0] == activation
    }


def _module_class(activation: str) -> Any:
    """Return torch's class for an activation, or None."""
    from torch import nn

    [found] = [cls for key, cls in vars(nn).items() if key.lower() == activation.replace("_", "")] or [None]
    return found


def _parameters(cls: Any) -> dict[str, Any]:
    """Return the parameters of a module's function with their defaults."""
    parameters = inspect.signature(cls).parameters.values()
    return {one.name: one.default for one in parameters if one.name not in _NOT_OF_THE_FUNCTION}


def _unknown(name: str, module: Any, why: str = "which has no counterpart here") -> ValueError:
    return ValueError(f"module {name!r} of the Sequential is {module!r}, {why}")


# ---- to torch ----


def write(mlp: Any) -> Any:
    """Return a fitted estimator's network as a torch.nn.Sequential in evaluation mode."""
    import torch
    from torch import nn

    members.refuse(mlp, "torch.nn.Sequential cannot express")
    coefs, intercepts, slopes, *_ = mlp._arrays()
    if hasattr(mlp, "embedding_"):
        raise ValueError("numeric_embedding, categorical_features and scale_inputs: torch.nn has no modules for them")
    if mlp.parametric_activation:
        raise ValueError("parametric_activation=True: torch.nn has no module for it")
    loss = mlp._output_loss()
    if loss.monotone:
        raise ValueError(
            f"loss={mlp.loss!r}: torch.nn has no module that sorts; set monotone to False, and sort afterwards"
        )
    dropout, modules = mlp._dropout(len(coefs) - 1), []
    for i, activation in enumerate(resolve(mlp.activation, len(coefs) - 1)):
        modules += [_dropout(nn, dropout[i]), _linear(torch, coefs[i], intercepts[i])]
        modules.append(_module(torch, activation, mlp, slopes[i], len(coefs[i + 1])))
    modules += [_dropout(nn, dropout[-1]), _linear(torch, coefs[-1], intercepts[-1])]
    output = output_name(mlp.out_activation_)
    if output != "identity":
        cls = _module_class(output)
        if cls is None:
            raise ValueError(f"loss={mlp.loss!r}: torch.nn has no module for {output}, its output layer's activation")
        modules.append(cls(dim=-1) if "dim" in inspect.signature(cls).parameters else cls())
    return nn.Sequential(*(module for module in modules if module is not None)).eval()


def _dropout(nn: Any, p: float) -> Any:
    return nn.Dropout(p) if p else None


def _linear(torch: Any, coef: Floats, intercept: Floats) -> Any:
    linear = torch.nn.Linear(*coef.shape, dtype=torch.from_numpy(intercept[:0].copy()).dtype)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(np.array(coef.T, order="C")))
        linear.bias.copy_(torch.from_numpy(intercept.copy()))
    return linear


def _module(torch: Any, activation: HiddenActivation, mlp: Any, slopes: Floats | None, n_units: int) -> Any:
    """Return an activation's module, None for the identity."""
    if activation.name == "identity":
        return None
    row = registry.activations.get(activation.name)
    base, parameter, choice = (row and row.choice_of) or (activation.name, None, None)
    cls = None if activation.functions else _module_class(base)
    if cls is None:
        raise ValueError(f"activation={mlp.activation!r}: torch.nn has no module for {activation.name}")
    if activation.name == "prelu":
        learned = np.asarray(activation.initial_slope if slopes is None else slopes, mlp.coefs_[0].dtype)
        weight = torch.from_numpy(np.broadcast_to(learned, n_units).copy())
        module = cls(n_units, dtype=weight.dtype)
        with torch.no_grad():
            module.weight.copy_(weight)
        return module
    keywords: dict[str, Any] = {parameter: choice} if parameter else dict(activation.parameters)
    if "dim" in inspect.signature(cls).parameters:
        keywords["dim"] = -1
    return cls(**keywords)
