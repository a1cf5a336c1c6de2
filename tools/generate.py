"""Writes the stubs, the docs' tables of functions, losses and solvers (all from src/) and README's (from performance.md).

python tools/generate.py            writes them
python tools/generate.py --check    exit code 1 where a committed file is not current
"""

import argparse
import re
import sys
from pathlib import Path

import function_stubs
import numpy as np
import stubs

from pyrelu._functions import containers
from pyrelu.registry import activations, axis_functions, composed_functions, losses, optimizers

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "bench"))

from peers.functions import COMMON  # noqa: E402

NAMESPACES = ("functional", "derivative", "vjp")
CALLING = """\
## Calling them

All functions take their operands by position or by the names in their signatures: `pr.prelu(x, weight=0.2)`,
`pr.vjp.relu(x, g=g)`, `pr.softmax(x, 1)`.

- A function of `x` alone, such as `pr.relu` and `pr.derivative.tanh`, is a `numpy.ufunc`, and like all ufuncs takes x by
  position only.
- Any other elementwise function is an `ActivationFunction`: callable with every keyword of a ufunc, with `at`, `outer`,
  `types`, `nin` and the other attributes of the underlying ufunc, which is its attribute `ufunc`. `reduce`, `accumulate`
  and `reduceat` raise ValueError: the operands are data and parameters, not elements to combine. `dtype=` is the type
  of the data.
- A function along an axis takes `axis`, one integer, -1 by default. A function over a generalised ufunc has it as
  attribute `ufunc` and takes its keywords; the gated functions (`glu` ...), `maxout` and `crelu` also take `out=`.

A scalar outside its parameter's domain raises ValueError.

An elementwise function reports an overflow where finite operands give an infinite result: `pr.exponential(1000.0)` is inf
with NumPy's RuntimeWarning, as with `numpy.exp`, and `numpy.errstate(over=...)` decides. Elements whose
parameters are outside their domain raise the flag "invalid". No other floating-point flag is raised. Where `out` is `x`
itself, `pr.exponential` cannot tell an infinite `x` from an overflow and reports both. Functions along an axis raise no
flag.

## Containers

The result for each kind of container. Where a row mentions labels, elementwise functions align two operands as the
container's library does; along an axis, the labels of `g` must match those of `x`.
"""


def functions_table():
    """Return docs/functions.md."""
    lines = [
        "<!-- Written by tools/generate.py from src/*.def: do not edit. -->",
        "# The functions",
        "",
        "Each is `pyrelu.<name>(x)`, with `pyrelu.derivative.<name>(x)` and `pyrelu.vjp.<name>(x, g)`. Errors are",
        "bounds in units in the last place (ULP) for float32 and float64, of the function and of its derivative.",
        "",
        "| name | formula | range | error: f32, f64 | derivative: f32, f64 | reference |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in activations.values():
        names = ", ".join(f"`{name}`" for name in (row.name, *row.aliases))
        f32, d32, f64, d64 = row.ulp
        parameters = ", ".join(
            name if default is None else f"{name}={default:g}" for name, default in row.parameters.items()
        )
        names += f"<br>{parameters}" if parameters else ""
        lines.append(
            f"| {names} | `{row.formula}` | {row.range} | {f32:g}, {f64:g} | {d32:g}, {d64:g} | {row.reference} |"
        )
    lines += ["", "Along an axis (`axis=`, the last by default), with `pyrelu.vjp.<name>(x, g)`:", ""]
    lines += ["| name | formula | range | error | reference |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{row.name}` | `{row.formula}` | {row.range} | {row.error} | {row.reference} |"
        for row in (*axis_functions.values(), *composed_functions.values())
    ]
    lines += ["", CALLING, "| container | elementwise | along an axis |", "| --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in containers.TABLE]
    return "\n".join(lines) + "\n"


def _cell(text):
    return text.replace("|", "\\|")


def losses_table():
    """Return the lines of docs/estimators.md about the rows of losses.def."""
    lines = ["| `loss=` | parameters | formula | y | what it is |", "| --- | --- | --- | --- | --- |"]
    for row in losses.values():
        if row.name.startswith("binary_"):
            continue
        parameters = ", ".join(
            f"{name}={default:g} in {row.parameter_domains[name]}" for name, default in row.parameters.items()
        )
        where = "classes" if row.estimator == "classifier" else row.domain
        lines.append(f"| `{row.name}` | {parameters} | `{_cell(row.formula)}` | {where} | {row.summary} |")
    return lines


def solvers_table():
    """Return the lines of docs/estimators.md about the rows of optimizers.def."""
    lines = ["| `solver=` | alpha | a step | what it is |", "| --- | --- | --- | --- |"]
    for row in optimizers.values():
        name = "sgd`, `nesterovs_momentum=True" if row.name == "nesterov" else row.name
        alpha = "decay" if row.decoupled else "penalty"
        lines.append(
            f"| `{name}` | {alpha} | `{_cell(row.update)}` | {row.summary} {row.reference} |".replace("  |", " |")
        )
    return lines


def estimators_page():
    """Return docs/estimators.md with these tables."""
    page = (ROOT / "docs" / "estimators.md").read_text()
    for name, lines in (("losses", losses_table()), ("optimizers", solvers_table())):
        start, end = f"<!-- written by tools/generate.py from {name}.def -->\n", "<!-- end -->"
        before, rest = page.split(start)
        page = before + start + "\n" + "\n".join(lines) + "\n\n" + end + rest.split(end, 1)[1]
    return page


ON_AVX512 = "python bench/peers"
ON_AVX2 = "PYRELU_ISA=v3 NPY_DISABLE_CPU_FEATURES=X86_V4 python bench/peers"
SPEED = re.compile(r"(<!-- speed: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def measured(command):
    """Return function -> (pyrelu's time, the best peer, its time, ratio) as docs/performance.md has it."""
    page = (ROOT / "docs" / "performance.md").read_text()
    table = re.search(rf"<!-- measured by: {re.escape(command)} -->.*?<!-- end -->", page, re.DOTALL)[0]
    headings, _, *rows = (line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|"))
    rows = (dict(zip(headings, row, strict=True)) for row in rows)
    return {
        row["function"]: (row["pyrelu"], row["best peer"], row.get(row["best peer"], "-"), row["ratio"]) for row in rows
    }


def readme():
    """Return README.md with the times of the functions that all libraries have, on AVX-512 and on AVX2."""
    columns = [measured(command) for command in (ON_AVX512, ON_AVX2)]
    lines = [
        "| function | AVX-512: pyrelu | best other | ratio | AVX2: pyrelu | best other | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in COMMON:
        cells = [f"{own} | {time} {peer} | {ratio}" for own, peer, time, ratio in (column[name] for column in columns)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    means = [np.exp(np.mean([np.log(float(column[name][-1])) for name in COMMON])) for column in columns]
    lines.append(f"| geometric mean | | | {means[0]:.2f} | | | {means[1]:.2f} |")
    return SPEED.sub(
        lambda found: f"{found[1]}\n" + "\n".join(lines) + f"\n\n{found[2]}", (ROOT / "README.md").read_text()
    )


def stubs_of_classes():
    """Return path -> text of the stubs of all other public modules."""
    paths = {module: ROOT / "pyrelu" / module for module in stubs.MODULES}
    return {ROOT / "pyrelu" / "__init__.pyi": stubs.package()} | {
        path / "__init__.pyi" if path.is_dir() else path.with_suffix(".pyi"): stubs.stub(module)
        for module, path in paths.items()
    }


def files():
    """Return path -> text of all generated files."""
    functions = {ROOT / "pyrelu" / f"{namespace}.pyi": function_stubs.stub(namespace) for namespace in NAMESPACES}
    return (
        functions
        | stubs_of_classes()
        | {
            ROOT / "docs" / "functions.md": functions_table(),
            ROOT / "docs" / "estimators.md": estimators_page(),
            ROOT / "README.md": readme(),
        }
    )


def main():
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} {'is not current: run python tools/generate.py' if check else 'written'}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files()[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
