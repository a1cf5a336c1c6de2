"""What a preprocessor learns of a table in parts that nobody holds together: the same, bit for bit, as of all rows.

Facts about columns and counts of levels add up. Quantiles come from the order statistics that they lie between. These are
found by rounds: each part reports a few of its values and their ranks, of which follows, for each order statistic, an
interval that it lies in, with a hundredth of the values; the next round reports of the values in there alone, and all of
them as soon as they are few. Means and standard deviations are those of all rows to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add as plus
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pyrelu.tabular import _scaling
from pyrelu.tabular._columns import BOOLEANS, NUMERIC
from pyrelu.tabular._frames import Table
from pyrelu.tabular._preprocessing import (
    WORDS,
    Chosen,
    Facts,
    TablePreprocessor,
    check_finite,
    chosen_columns,
    is_category,
)

POINTS = 256  # values of a column that a part reports in a round

Result = TypeVar("Result")  # of one part
Reduced = TypeVar("Reduced")  # of all
Origin = tuple[int, float]  # the position of a column, and what its numbers are counted from
Ends = tuple[float, float]  # of an interval
Wanted = Sequence[Sequence[Ends]]  # of each column, the intervals to report of
Report = tuple[int, int, NDArray[np.intp], NDArray[np.float64]]  # what `_report` says of a column and an interval


class OverParts(Protocol):
    """What `fit` takes."""

    def __call__(
        self, reduce: Callable[[list[Result]], Reduced], function: Callable[..., Result], /, *arguments: Any
    ) -> Reduced: ...


class OfRank(Protocol):
    """Order statistics by their ranks."""

    def __getitem__(self, rank: int, /) -> float: ...


@dataclass(frozen=True)
class Summary:
    """What parts hold of one column; `+` adds another part's."""

    name: str
    kind: str
    dtype: str
    levels: dict[str, int]  # text -> how often
    n_missing: int
    n_known: int
    first: float
    has_zone: bool

    def __add__(self, other: Summary) -> Summary:
        if self.kind == "missing" or other.kind == "missing":
            known = other if self.kind == "missing" else self
            return replace(known, n_missing=self.n_missing + other.n_missing)
        if self.kind != other.kind:
            raise ValueError(
                f"Column {self.name} holds {WORDS[self.kind]} in one partition (dtype {self.dtype}), and "
                f"{WORDS[other.kind]} in another (dtype {other.dtype}); give it one type"
            )
        if self.has_zone != other.has_zone:
            raise ValueError(f"Column {self.name} has a time zone in some partitions only; the times would not agree")
        levels = dict(self.levels)
        for level, n in other.levels.items():
            levels[level] = levels.get(level, 0) + n
        return replace(
            self,
            levels=levels,
            n_missing=self.n_missing + other.n_missing,
            n_known=self.n_known + other.n_known,
            first=min(self.first, other.first),
        )


@dataclass(frozen=True)
class Summaries:
    """The Summary of each column, and the names of the columns; `+` adds another part's."""

    names: list[str] | None
    columns: list[Summary]

    def __add__(self, other: Summaries) -> Summaries:
        if self.names != other.names or len(self.columns) != len(other.columns):
            raise ValueError(
                f"the columns of X differ between partitions: {self.names or len(self.columns)} and "
                f"{other.names or len(other.columns)}"
            )
        return Summaries(self.names, [a + b for a, b in zip(self.columns, other.columns, strict=True)])


def summarise(X: Any, categorical_features: Chosen) -> Summaries:
    """Return the Summaries of a part."""
    table = Table(X)
    chosen = chosen_columns(categorical_features, table)
    return Summaries(table.names, [_summary(table, i, i in chosen) for i in range(table.n_columns)])


def _summary(table: Table, i: int, is_chosen: bool) -> Summary:
    column = table.column(i)
    if column.kind == "missing":
        return Summary(table.name(i), "missing", column.dtype, {}, table.n_rows, 0, 0.0, False)
    if is_chosen or column.kind not in NUMERIC:
        codes, texts = column.as_levels()
        counts = np.bincount(codes + 1, minlength=len(texts) + 1).tolist()
        levels = {text: n for text, n in zip(texts, counts[1:], strict=True) if n}
        kind = "boolean" if column.kind == "boolean" else "category"
        return Summary(table.name(i), kind, column.dtype, levels, counts[0], sum(counts[1:]), 0.0, False)
    assert column.numbers is not None  # as columns of these kinds have them
    check_finite(table, i, column.numbers)
    n_missing = int(np.isnan(column.numbers).sum())
    first = float(np.nanmin(column.numbers)) if column.kind == "date" else 0.0
    return Summary(
        table.name(i), column.kind, column.dtype, {}, n_missing, table.n_rows - n_missing, first, column.has_zone
    )


def fit(preprocessor: TablePreprocessor, over_parts: OverParts) -> None:
    """Fit a TablePreprocessor to parts.

    Parameters
    ----------
    preprocessor : TablePreprocessor
        Fitted in place.
    over_parts : callable
        ``over_parts(reduce, function, *arguments)`` returns ``reduce(results)`` of the list of
        ``function(part, *arguments)``, in the order of the parts.
    """
    summaries = over_parts(add, summarise, preprocessor.categorical_features)
    names, columns = summaries.names, summaries.columns
    all_facts = [_facts(summary, names[i] if names else f"x{i}") for i, summary in enumerate(columns)]
    numeric = [i for i, facts in enumerate(all_facts) if facts["kind"] in NUMERIC]
    origins = [(i, facts["first"] if facts["kind"] == "date" else 0.0) for i, facts in enumerate(all_facts)]
    origins = [origins[i] for i in numeric]
    numbers = [columns[i].n_known for i in numeric]
    fractions = [sorted({0.5, *_scaling.fractions(preprocessor.numeric, n)}) for n in numbers]
    quantiles = _quantiles(over_parts, origins, numbers, fractions)
    moments: Sequence[tuple[float, float] | None] = [None] * len(numeric)
    if _scaling.needs_moments(preprocessor.numeric):
        means = over_parts(add, _sums, origins) / np.array(numbers)
        squares = over_parts(add, _squares, origins, means)
        moments = list(zip(means, squares / np.array(numbers), strict=True))
    scales = []
    for i, n, quantile, of_column in zip(numeric, numbers, quantiles, moments, strict=True):
        with np.errstate(over="ignore"):
            all_facts[i]["median"] = float(quantile[0.5])
        scales.append(_scaling.of_quantiles(preprocessor.numeric, n, quantile, of_column))
    if _scaling.scales_one_hot(preprocessor.numeric):
        for i, expansion in preprocessor._expansions(all_facts):
            summary, facts = columns[i], all_facts[i]
            counts = [summary.n_known, summary.n_missing]
            if is_category(facts):
                counts = [summary.n_missing, *(summary.levels.get(level, 0) for level in facts["levels"])]
            scales += [_of_counts(preprocessor.numeric, of_level, np.array(counts)) for of_level in expansion.T]
    preprocessor._set_learned(all_facts, scales, names)


def _facts(summary: Summary, name: str) -> Facts:
    levels = [*BOOLEANS] if summary.kind == "boolean" else sorted(summary.levels)
    has_gaps = summary.kind in NUMERIC and summary.n_missing > 0
    return Facts(
        name=name,
        kind=summary.kind,
        levels=levels,
        first=summary.first,
        has_zone=summary.has_zone,
        has_gaps=has_gaps,
        median=0.0,
    )


def add(parts: Sequence[Result]) -> Result:
    """Return the sum, taken in order."""
    return reduce(plus, parts)


def _known(X: Any, origins: Sequence[Origin]) -> Iterator[NDArray[np.float64]]:
    """Yield the known numbers of columns, dates counted from the first one."""
    table = Table(X)
    for i, first in origins:
        column = table.column(i)
        if column.kind == "missing" or column.numbers is None:
            yield np.empty(0)
        else:
            yield column.numbers[column.known()] - first


def _sums(X: Any, origins: Sequence[Origin]) -> NDArray[np.float64]:
    return np.array([known.sum() for known in _known(X, origins)])


def _squares(X: Any, origins: Sequence[Origin], means: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([((known - mean) ** 2).sum() for known, mean in zip(_known(X, origins), means, strict=True)])


# ---- quantiles ----


def _between(n: int, fraction: float) -> tuple[int, float]:
    """Return the rank of the order statistic below a quantile, and where between that and the next one it lies."""
    at = (n - 1) * fraction  # as NumPy has it
    below = int(min(np.floor(at), n - 1))
    return below, at - below


def _interpolated(n: int, fraction: float, of_rank: OfRank) -> float:
    below, share = _between(n, fraction)
    if not share:
        return of_rank[below]
    between: float = np.quantile(np.array([of_rank[below], of_rank[below + 1]]), share)
    return between


def _quantiles(
    over_parts: OverParts, origins: Sequence[Origin], numbers: Sequence[int], fractions: Sequence[Sequence[float]]
) -> list[dict[float, float]]:
    """Return for each column its quantiles: fraction -> value."""
    intervals = []  # of each column: rank -> the ends of an interval that the order statistic lies in
    for n, of_column in zip(numbers, fractions, strict=True):
        ranks = {rank for fraction in of_column for below in [_between(n, fraction)[0]] for rank in (below, below + 1)}
        intervals.append(dict.fromkeys(sorted(rank for rank in ranks if rank < n), (-np.inf, np.inf)))
    while any(low < high for of_ranks in intervals for low, high in of_ranks.values()):
        wanted = [sorted({ends for ends in of_ranks.values() if ends[0] < ends[1]}) for of_ranks in intervals]
        intervals = over_parts(_Narrow(wanted, intervals), _report, origins, wanted)
    found = []
    for n, of_column, of_ranks in zip(numbers, fractions, intervals, strict=True):
        of_rank = {rank: low for rank, (low, _) in of_ranks.items()}
        found.append({fraction: _interpolated(n, fraction, of_rank) for fraction in of_column})
    return found


def _report(X: Any, origins: Sequence[Origin], wanted: Wanted) -> list[list[Report]]:
    """Return for each column and interval: how many values are below or at its low end, how many are between its ends, ranks
    of some of these, and their values.
    """
    reports = []
    for known, intervals in zip(_known(X, origins), wanted, strict=True):
        known = np.sort(known) if intervals else known
        of_column = []
        for low, high in intervals:
            start, stop = np.searchsorted(known, low, side="right"), np.searchsorted(known, high)
            n = int(stop - start)
            ranks = np.arange(n) if n <= POINTS else np.unique(np.linspace(0, n - 1, POINTS).astype(np.intp))
            of_column.append((int(start), n, ranks, known[start + ranks]))
        reports.append(of_column)
    return reports


class _Narrow:
    """Makes narrower intervals of what the parts report: a function that travels to where that is done."""

    __name__ = "narrow"

    def __init__(self, wanted: Wanted, intervals: list[dict[int, Ends]]) -> None:
        self.wanted, self.intervals = wanted, intervals

    def __call__(self, reports: Sequence[list[list[Report]]]) -> list[dict[int, Ends]]:
        narrower = []
        for j, (ends, of_ranks) in enumerate(zip(self.wanted, self.intervals, strict=True)):
            new = dict(of_ranks)
            for k, interval in enumerate(ends):
                ranks = [rank for rank, own in of_ranks.items() if own == interval]
                of_parts = [report[j][k] for report in reports]
                new |= dict(zip(ranks, _narrowed(interval, of_parts, np.array(ranks)), strict=True))
            narrower.append(new)
        return narrower


def _narrowed(interval: Ends, reports: Sequence[Report], ranks: NDArray[np.intp]) -> list[Ends]:
    """Return for each rank the ends of the narrowest interval that the reports of all parts allow, equal ones if it is known."""
    low, high = interval
    ranks = ranks - sum(below for below, *_ in reports)
    n_between = sum(n for _, n, *_ in reports)
    points = np.concatenate([values for *_, values in reports])
    # A value at rank r in its part says that at least r + 1 values are not above it; and the next one, at rank s, that at
    # most s are below that. So each point that is passed adds what lies between.
    at_least = np.concatenate([np.diff(of, prepend=-1) for _, _, of, _ in reports])
    at_most = np.concatenate([np.diff(of, append=n) for _, n, of, _ in reports])
    order = np.argsort(points, kind="stable")
    points, at_least, at_most = points[order], np.cumsum(at_least[order]), np.cumsum(at_most[order])
    last = np.append(points[1:] != points[:-1], True)[: len(points)]  # of equal ones
    values, not_above = points[last], at_least[last]
    below = np.concatenate([[0], at_most[last][:-1]])
    narrower = []
    for rank in ranks:
        if rank < 0:
            narrower.append((low, low))
        elif rank >= n_between:
            narrower.append((high, high))
        else:
            ends = values[np.searchsorted(below, rank, side="right") - 1], values[np.searchsorted(not_above, rank + 1)]
            narrower.append((float(ends[0]), float(ends[1])))
    return narrower


def _of_counts(numeric: str, values: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return what a scale learns of a column in which each value occurs so often."""
    order = np.argsort(values, kind="stable")
    values, ends, n = values[order], np.cumsum(counts[order]), int(counts.sum())

    class Counted:
        def __getitem__(self, rank: int) -> float:
            value: float = values[np.searchsorted(ends, rank, side="right")]
            return value

    fractions = _scaling.fractions(numeric, n)
    return _scaling.of_quantiles(numeric, n, {q: _interpolated(n, q, Counted()) for q in fractions}, None)
