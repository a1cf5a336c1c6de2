"""Stubs of the modules whose functions carry their types in docstrings: signature and docstring in, annotations out.

A constructor's signature may be joined at run time (`pyrelu._mlp.parameters.extends`), which no static reader sees.
"""

import inspect
import re
import sys
from importlib import import_module

import pyrelu

HEADER = "# Written by tools/generate.py from signatures and docstrings: do not edit.\n"
MODULES = ("neural_network", "tabular", "callbacks", "inspection", "plot", "dask", "distributed")

# Words of numpydoc and their types. A word that is not here is an error that names the docstring.
WORDS = {
    "int": "int",
    "inf": "float",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "None": "None",
    "dict": "dict[Any, Any]",
    "list": "list[Any]",
    "iterable": "Iterable[Any]",
    "callable": "Callable[..., Any]",
    "function of pyrelu": "Callable[..., Any]",
    "path-like": "PathLike[str]",
    "bytes": "bytes",
    "RandomState instance": "np.random.RandomState",
    "array-like": "ArrayLike",
    "array_like": "ArrayLike",
    "sparse matrix": "spmatrix | sparray",
    "ndarray": "NDArray[Any]",
    "ndarray of bool": "NDArray[np.bool_]",
    "ndarray of float": "NDArray[np.floating[Any]]",
    "ndarray of intp": "NDArray[np.intp]",
    "ndarray of str": "NDArray[Any]",
    "array-like of str": "ArrayLike",
    "ndarray of Axes": "NDArray[Any]",
    "DataFrame of pandas": "Any",  # pandas, polars and pyarrow are no dependencies
    "polars": "Any",
    "Table of pyarrow": "Any",
    "splitter": "Any",
    "distributed.Client": "Any",  # nor is dask
    "dask array": "Any",
    "dask DataFrame": "Any",
    "DataFrame": "Any",
    "Series": "Any",
    "Delayed": "Any",
    "array-like in memory": "ArrayLike",
    "the same kinds": "Any",
    "Optimizer": "Any",  # only to be handed back
    "Partition": "Any",
    "X": "ArrayLike | spmatrix | sparray",
    "y": "ArrayLike",
    "sample_weight": "ArrayLike",
    "such names": "str | tuple[str, dict[Any, Any]] | tuple[Callable[..., Any], Callable[..., Any]]",
    "estimator": "MLPClassifier | MLPRegressor | sklearn.neural_network.MLPClassifier | sklearn.neural_network.MLPRegressor",
    "MLPClassifier": "MLPClassifier | sklearn.neural_network.MLPClassifier",
    "MLPRegressor": "MLPRegressor | sklearn.neural_network.MLPRegressor",
    "sklearn.neural_network.MLPClassifier": "sklearn.neural_network.MLPClassifier",
    "sklearn.neural_network.MLPRegressor": "sklearn.neural_network.MLPRegressor",
    "torch.nn.Sequential": "Any",  # torch is no dependency
    "An estimator of this class": "Self",
    "estimator instance": "Self",
}
# What a stub imports of these where it names it.
IMPORTS = {
    "from collections.abc import": ("Callable", "Iterable", "Mapping", "Sequence"),
    "from os import": ("PathLike",),
    "from typing import": ("Any", "Literal", "Self"),
    "import": ("numpy as np", "sklearn.neural_network"),
    "from matplotlib.axes import": ("Axes",),
    "from matplotlib.collections import": ("QuadMesh",),
    "from matplotlib.colorbar import": ("Colorbar",),
    "from matplotlib.contour import": ("ContourSet",),
    "from matplotlib.figure import": ("Figure",),
    "from matplotlib.image import": ("AxesImage",),
    "from matplotlib.legend import": ("Legend",),
    "from matplotlib.lines import": ("Line2D",),
    "from matplotlib.text import": ("Annotation",),
    "from numpy.typing import": ("ArrayLike", "NDArray"),
    "from scipy.sparse import": ("sparray", "spmatrix"),
    "from sklearn.base import": ("BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin"),
    "from pyrelu._mlp.embedding import": ("InputEmbedding",),
    "from pyrelu.inspection import": ("ActivityRecorder",),
    "from pyrelu.neural_network import": ("MLPClassifier", "MLPRegressor"),
    "from pyrelu.plot._activation import": ("Curve",),
}
IMPORTED = {name.split()[-1] for names in IMPORTS.values() for name in names}
BASES = (
    "ClassifierMixin",
    "RegressorMixin",
    "TransformerMixin",
    "BaseEstimator",
)  # public, and no matter what scikit-learn is installed


def annotation(text, where, local=()):
    """Return the Python type for the type in a docstring, such as ``int or sequence of int, default=(100,)``.

    Parameters
    ----------
    text : str
        What follows the colon.
    where : str
        For the error.
    local : sequence of str
        Names that are types of the same module.
    """
    types = []
    for clause in re.split(r"; or |; ", re.sub(r"^tuple of (?=\()", "", text)):
        parts = _split(clause)
        while parts:
            part = parts.pop(0)
            if part == "sequence of such":
                types.append(f"Sequence[{' | '.join(types)}]")
            elif part.startswith("sequence of ") and parts:  # "sequence of str or (str, dict)": of either
                items, rest = [part.removeprefix("sequence of ")], []
                for one in parts:  # up to None, or to another sequence
                    (rest if rest or one == "None" or one.startswith("sequence of ") else items).append(one)
                types.append(f"Sequence[{' | '.join(_one(item, where, local) for item in items)}]")
                parts = rest
            else:
                types.append(_one(part, where, local))
    return " | ".join(dict.fromkeys(one for joined in types for one in _split(joined, r" \| ")))


def _one(part, where, local):
    def inner(text):
        return annotation(text, where, local)

    if part in WORDS:
        return WORDS[part]
    if part in local or part in IMPORTED:
        return part
    if part.startswith('"'):
        return f"Literal[{part}]"
    if part.startswith("{"):
        members = _split(part[1:-1])
        return f"Literal[{', '.join(members)}]" if part[1] == '"' else " | ".join(map(inner, members))
    if part.startswith("("):
        return f"tuple[{', '.join(map(inner, _split(part[1:-1])))}]"
    if match := re.fullmatch(r"(sequence|list) of (.*)", part):
        return f"{ {'sequence': 'Sequence', 'list': 'list'}[match[1]] }[{inner(match[2])}]"
    if match := re.fullmatch(r"dict of (\w+) to (.*)", part):
        return f"Mapping[{inner(match[1])}, {inner(match[2])}]"
    if part.startswith("pyrelu."):
        return inner(part.rsplit(".", 1)[1])
    raise ValueError(f"{where}: the type {part!r} is not known to tools/stubs.py")


def _split(text, separator=r", or |, | or "):
    """Split at commas and "or", but not within brackets."""
    parts, start = [], 0
    for match in re.finditer(separator, text):
        before = text[: match.start()]
        if all(before.count(a) == before.count(b) for a, b in ("()", "{}", "[]")):
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def _section(thing, title):
    """Return name -> type of a section of a docstring, in order, without shapes and defaults; a result may be nameless."""
    parts = re.split(r"\n([A-Z][\w ]+)\n-+\n", f"\n{inspect.getdoc(thing) or ''}\n")
    lines = dict(zip(parts[1::2], parts[2::2], strict=True)).get(title, "").splitlines()
    entries = {}
    for line in lines:
        if line and not line.startswith((" ", "*")):
            names, _, kind = line.rpartition(" : ")
            names = names.split(", ")
            kind = re.sub(r", default=.*| of shape \([^()]*\)( or \([^()]*\))*", "", kind)
            kinds = kind.split(", ")  # "ax_, figure_ : Axes, Figure"
            entries |= zip(names, kinds if len(kinds) == len(names) else [kind] * len(names))
    return entries


def _returned(function, where, local):
    kinds = _section(function, "Returns")
    if not kinds:
        return "Any" if re.match(r"Return\b", inspect.getdoc(function) or "") else "None"
    for name, thing in local.items():
        if getattr(thing, "_fields", None) == tuple(kinds):
            return name  # a named tuple
    kinds = [_own(kind.partition(" that ")[0].rstrip("."), where) for kind in kinds.values()]
    if kinds == [where.split(".")[0]]:
        return "Self"
    if kinds == [f"list of {where.split('.')[0]}"]:
        return "list[Self]"
    kinds = [annotation(kind, where, local) for kind in kinds]
    return kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"


def _own(kind, where):
    """Of alternatives that are classes, that of the same name as the class which the method is of; so of a list of them."""
    if kind.startswith("list of "):
        return f"list of {_own(kind.removeprefix('list of '), where)}"
    same = [one for one in _split(kind) if one.rsplit(".", 1)[-1] == where.split(".")[0]]
    return same[0] if same else kind


def _parameter(p, kinds, where, local):
    name = f"{ {p.VAR_KEYWORD: '**', p.VAR_POSITIONAL: '*'}.get(p.kind, '') }{p.name}"
    kind = "Any"
    if p.name in kinds:
        kind = annotation(_own(kinds[p.name], where), f"{where}, {p.name}", local)
    if p.default is p.empty:
        return f"{name}: {kind}"
    if p.default is None and "None" not in _split(kind, r" \| "):
        kind += " | None"
    return f"{name}: {kind} = {_literal(p.default)}"


def _literal(value):
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _function(name, function, owner, local, kinds=None, returned=None):
    where = f"{owner}.{name}" if owner else name
    kinds = _section(function, "Parameters") if kinds is None else kinds
    parts, keyword_only = [], False
    for i, p in enumerate(inspect.signature(function).parameters.values()):
        if p.kind is p.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parts.append("*")
        if p.kind is p.VAR_POSITIONAL:
            keyword_only = True
        parts.append(p.name if owner and i == 0 else _parameter(p, kinds, where, local))
    return f"def {name}({', '.join(parts)}) -> {returned or _returned(function, where, local)}: ..."


def _members(cls):
    """Return name -> public function that the class has beside those of its BASES; a class method as such.

    Of a method that takes no metadata, as `partial_fit` where it is not available, nothing can be requested, and what
    scikit-learn has in place of that depends on its version.
    """
    bases = [base for base in cls.__mro__ if base.__name__ in BASES]
    inherited = {name for base in bases for name in dir(base)} - {"fit", "predict", "score"}
    found = {}
    for name in sorted({name for above in cls.__mro__ if above not in bases for name in vars(above)} - inherited):
        value = inspect.getattr_static(cls, name)
        if name.endswith("_request"):
            method = inspect.getattr_static(cls, name.removeprefix("set_").removesuffix("_request"))
            if not inspect.signature(getattr(method, "fn", method)).parameters.keys() - {"self", "X", "y"}:
                continue
            value = getattr(cls, name)
        value = getattr(value, "fn", value)  # of available_if
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, classmethod)):
            found[name] = value
    return found


def _class(cls, local):
    bases = [base for base in BASES if any(above.__name__ == base for above in cls.__mro__)]
    lines = [f"class {cls.__name__}({', '.join(bases)}):".replace("()", "")]
    parameters = _section(cls, "Parameters")
    attributes = {name: kind for name, kind in parameters.items() if name in inspect.signature(cls).parameters}
    for name, kind in (attributes | _section(cls, "Attributes")).items():
        if isinstance(inspect.getattr_static(cls, name, None), property):
            of = annotation(kind, f"{cls.__name__}.{name}", local)
            lines += ["    @property", f"    def {name}(self) -> {of}: ..."]
            continue
        lines.append(f"    {name}: {annotation(kind, f'{cls.__name__}.{name}', local)}")
        default = inspect.signature(cls).parameters.get(name)
        if default and default.default is None and "None" not in lines[-1]:
            lines[-1] += " | None"
    lines.append(f"    {_function('__init__', cls.__init__, cls.__name__, local, parameters, 'None')}")
    for name, value in _members(cls).items():
        if isinstance(value, classmethod):
            lines.append("    @classmethod")
            value = value.__func__
        if name.endswith("_request"):  # of scikit-learn's metadata routing
            _, *parameters = inspect.signature(value).parameters
            requests = [f"{parameter}: bool | str | None = ..." for parameter in parameters]
            lines.append(f"    def {name}({', '.join(['self', *(['*'] if requests else []), *requests])}) -> Self: ...")
        else:
            lines.append(f"    {_function(name, value, cls.__name__, local)}")
    return lines


def _typed_at_home(thing, module):
    """Whether its own source has its types, or it is not ours, so that the stub only says where it is."""
    if not inspect.isclass(thing) or not thing.__module__.startswith(module):
        return not thing.__module__.startswith("pyrelu")
    return hasattr(thing, "__dataclass_fields__") or issubclass(thing, tuple | list)


def stub(module):
    """Return the text of the stub of pyrelu.<module>."""
    name, module = f"pyrelu.{module}", import_module(f"pyrelu.{module}")
    local = {public: getattr(module, public) for public in module.__all__}
    imports, functions, classes = [], [], []
    for public, thing in local.items():
        if _typed_at_home(thing, name):
            home = "sklearn.inspection" if thing.__module__.startswith("sklearn") else thing.__module__
            imports.append((home, f"from {home} import {public} as {public}"))
        elif inspect.isclass(thing):
            classes += ["", *_class(thing, local)]
        else:
            functions.append(_function(public, thing, None, local))
    body = "\n".join([*functions, *classes])
    for start, names in IMPORTS.items():
        wanted = [one for one in names if re.search(rf"\b{one.split()[-1]}\b", body) and one not in local]
        if start == "import":
            imports += [(f"\0{one}", f"import {one}") for one in wanted]
        elif wanted:
            imports.append((start.split()[1], f"{start} {', '.join(wanted)}"))
    blocks = {}
    for home, line in sorted(imports, key=lambda one: (_block(one[0]), one)):
        blocks.setdefault(_block(home), []).append(line)
    exported = ["__all__ = [", *(f'    "{one}",' for one in module.__all__), "]"]
    return "\n".join([HEADER, "\n\n".join(map("\n".join, blocks.values())), "", *exported, "", body, ""])


def package():
    """Return the text of the stub of pyrelu itself, which loads a part of what it has on first use."""
    homes = [
        import_module(f"pyrelu.{name}") for name in ("functional", "registry", "_threads", "neural_network", "tabular")
    ]
    lines = [f"from pyrelu import {module} as {module}" for module in sorted(pyrelu._LAZY_MODULES)]
    for name in sorted(pyrelu.__all__):
        home = next((home.__name__ for home in homes if name in home.__all__), "pyrelu")
        lines.append(f"from {home} import {name} as {name}")
    exported = ["__all__ = [", *(f'    "{name}",' for name in sorted(pyrelu.__all__)), "]"]
    return "\n".join(
        [HEADER, *sorted(lines), "", *exported, "", "__version__: str", "", "def __dir__() -> list[str]: ...", ""]
    )


def _block(home):
    """Return where a module stands among the imports: the standard library, others, ours."""
    top = home.strip("\0").split(".")[0]
    return 0 if top in sys.stdlib_module_names else 2 if top == "pyrelu" else 1
