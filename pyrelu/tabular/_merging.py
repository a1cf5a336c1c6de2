"""What a preprocessor learns of a table in parts that nobody holds together: the same, bit for bit, as of all rows.

Facts about columns and counts of levels add up. Quantiles come from the order statistics that they lie between. These are
found by rounds: each part reports a few of its values and their ranks, of which follows, for each order statistic, an
interval that it lies in, with a hundredth of the values; the next round reports of the values in there alone, and all of
them as soon as they are few. Means and standard deviations are those of all rows to rounding.
"""

from typing import NamedTuple

import numpy as np

from pyrelu.tabular import _scaling
from pyrelu.tabular._columns import BOOLEANS, NUMERIC
from pyrelu.tabular._frames import Table
from pyrelu.tabular._preprocessing import FACTS, WORDS, check_finite, chosen_columns, is_category

POINTS = 256  # values of a column that a part reports in a round


class Summary(NamedTuple):
    """What parts hold of one column; `+` adds another part's."""

    name: str
    kind: str
    dtype: str
    levels: dict[str, int]  # text -> how often
    n_missing: int
    n_known: int
    first: float
    has_zone: bool

    def __add__(self, other):
        if self.kind == "missing" or other.kind == "missing":
            known = other if self.kind == "missing" else self
            return known._replace(n_missing=self.n_missing + other.n_missing)
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
        return self._replace(
            levels=levels,
            n_missing=self.n_missing + other.n_missing,
            n_known=self.n_known + other.n_known,
            first=min(self.first, other.first),
        )


class Summaries(NamedTuple):
    """The Summary of each column, and the names of the columns; `+` adds another part's."""

    names: list[str] | None
    columns: list[Summary]

    def __add__(self, other):
        if self.names != other.names or len(self.columns) != len(other.columns):
            raise ValueError(
                f"the columns of X differ between partitions: {self.names or len(self.columns)} and "
                f"{other.names or len(other.columns)}"
            )
        return Summaries(self.names, [a + b for a, b in zip(self.columns, other.columns, strict=True)])


def summarise(X, categorical_features):
    """Return the Summaries of a part."""
    table = Table(X)
    chosen = chosen_columns(categorical_features, table)
    return Summaries(table.names, [_summary(table, i, i in chosen) for i in range(table.n_columns)])


def _summary(table, i, is_chosen):
    column = table.column(i)
    if column.kind == "missing":
        return Summary(table.name(i), "missing", column.dtype, {}, table.n_rows, 0, 0.0, False)
    if is_chosen or column.kind not in NUMERIC:
        codes, texts = column.as_levels()
        counts = np.bincount(codes + 1, minlength=len(texts) + 1).tolist()
        levels = {text: n for text, n in zip(texts, counts[1:], strict=True) if n}
        kind = "boolean" if column.kind == "boolean" else "category"
        return Summary(table.name(i), kind, column.dtype, levels, counts[0], sum(counts[1:]), 0.0, False)
    check_finite(table, i, column.numbers)
    n_missing = int(np.isnan(column.numbers).sum())
    first = float(np.nanmin(column.numbers)) if column.kind == "date" else 0.0
    return Summary(
        table.name(i), column.kind, column.dtype, {}, n_missing, table.n_rows - n_missing, first, column.has_zone
    )


def fit(preprocessor, over_parts):
    """Fit a TablePreprocessor to parts.

    Parameters
    ----------
    preprocessor : TablePreprocessor
        Fitted in place.
    over_parts : callable
        ``over_parts(reduce, function, *arguments)`` returns ``reduce(results)`` of the list of
        ``function(part, *arguments)``, in the order of the parts.
    """
    names, columns = over_parts(add, summarise, preprocessor.categorical_features)
    all_facts = [_facts(summary, names[i] if names else f"x{i}") for i, summary in enumerate(columns)]
    numeric = [i for i, facts in enumerate(all_facts) if facts["kind"] in NUMERIC]
    origins = [(i, facts["first"] if facts["kind"] == "date" else 0.0) for i, facts in enumerate(all_facts)]
    origins = [origins[i] for i in numeric]
    numbers = [columns[i].n_known for i in numeric]
    fractions = [sorted({0.5, *_scaling.fractions(preprocessor.numeric, n)}) for n in numbers]
    quantiles = _quantiles(over_parts, origins, numbers, fractions)
    moments = [None] * len(numeric)
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


def _facts(summary, name):
    levels = [*BOOLEANS] if summary.kind == "boolean" else sorted(summary.levels)
    has_gaps = summary.kind in NUMERIC and summary.n_missing > 0
    return dict(zip(FACTS, (name, summary.kind, levels, summary.first, summary.has_zone, has_gaps, 0.0), strict=True))


def add(parts):
    """Return the sum, taken in order."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _known(X, origins):
    """Yield the known numbers of columns, dates counted from the first one."""
    table = Table(X)
    for i, first in origins:
        column = table.column(i)
        yield np.empty(0) if column.kind == "missing" else column.numbers[~np.isnan(column.numbers)] - first


def _sums(X, origins):
    return np.array([known.sum() for known in _known(X, origins)])


def _squares(X, origins, means):
    return np.array([((known - mean) ** 2).sum() for known, mean in zip(_known(X, origins), means, strict=True)])


# ---- quantiles ----


def _between(n, fraction):
    """Return the rank of the order statistic below a quantile, and where between that and the next one it lies."""
    at = (n - 1) * fraction  # as NumPy has it
    below = int(min(np.floor(at), n - 1))
    return below, at - below


def _interpolated(n, fraction, of_rank):
    below, share = _between(n, fraction)
    if not share:
        return of_rank[below]
    return np.quantile(np.array([of_rank[below], of_rank[below + 1]]), share)


def _quantiles(over_parts, origins, numbers, fractions):
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


def _report(X, origins, wanted):
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

    def __init__(self, wanted, intervals):
        self.wanted, self.intervals = wanted, intervals

    def __call__(self, reports):
        narrower = []
        for j, (ends, of_ranks) in enumerate(zip(self.wanted, self.intervals, strict=True)):
            new = dict(of_ranks)
            for k, interval in enumerate(ends):
                ranks = [rank for rank, own in of_ranks.items() if own == interval]
                of_parts = [report[j][k] for report in reports]
                new |= dict(zip(ranks, _narrowed(interval, of_parts, np.array(ranks)), strict=True))
            narrower.append(new)
        return narrower


def _narrowed(interval, reports, ranks):
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
            narrower.append(tuple(map(float, ends)))
    return narrower


def _of_counts(numeric, values, counts):
    """Return what a scale learns of a column in which each value occurs so often."""
    order = np.argsort(values, kind="stable")
    values, ends, n = values[order], np.cumsum(counts[order]), int(counts.sum())

    class OfRank:
        def __getitem__(self, rank):
            return values[np.searchsorted(ends, rank, side="right")]

    fractions = _scaling.fractions(numeric, n)
    return _scaling.of_quantiles(numeric, n, {q: _interpolated(n, q, OfRank()) for q in fractions}, None)
