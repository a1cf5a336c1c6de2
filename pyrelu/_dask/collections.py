"""From dask's collections to lists of partitions, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import dask.array as da
from dask.base import is_dask_collection
from dask.delayed import Delayed
from distributed import Future

if TYPE_CHECKING:  # a Future has no type parameter at runtime before distributed 2025
    Partition: TypeAlias = Delayed | Future[Any]
    Triple: TypeAlias = tuple[Partition, Partition, Partition | None]  # X, y and sample weights
    Futures: TypeAlias = tuple[Future[Any], Future[Any], Future[Any] | None]

KINDS = "a dask array, a dask DataFrame or Series, or a list of delayed partitions"


def is_distributed(value: Any) -> bool:
    """Return whether a value is in partitions."""
    return is_dask_collection(value) or (
        isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(part, Delayed | Future) for part in value)
    )


def partitions(value: Any, name: str, rows: Sequence[float] | None = None) -> list[Partition]:
    """Return the partitions of rows, each a Delayed or a Future.

    Parameters
    ----------
    value : dask collection or list
    name : str
        Named in errors.
    rows : tuple of int, default=None
        The numbers of rows that the partitions are to have, where they are known.
    """
    if not is_distributed(value) or isinstance(value, Delayed):
        raise TypeError(
            f"{name} must be {KINDS}, got {type(value).__name__}. MLPClassifier and MLPRegressor take what is in memory"
        )
    if isinstance(value, da.Array):
        if value.ndim not in (1, 2):
            raise ValueError(f"{name} must have one or two dimensions, got {value.ndim}")
        if value.ndim == 2 and value.numblocks[1] > 1:
            value = value.rechunk({1: -1})
        known = known_rows(value)
        if rows and known is not None and known != rows and sum(known) == sum(rows):
            value = value.rechunk({0: rows})
        return list(value.to_delayed().ravel())
    return list(value.to_delayed()) if is_dask_collection(value) else list(value)


def known_rows(value: Any) -> tuple[float, ...] | None:
    """Return the numbers of rows of the partitions of a dask array, or None."""
    if not isinstance(value, da.Array) or any(n != n for n in value.chunks[0]):
        return None
    known: tuple[float, ...] = value.chunks[0]
    return known


def triples(X: Any, y: Any, sample_weight: Any, what: str = "") -> list[Triple]:
    """Return the partitions of X, y and sample weights (None where there are none), as many of each."""
    of_X = partitions(X, f"{what}X")
    of_y = partitions(y, f"{what}y", known_rows(X))
    of_weights: Sequence[Partition | None] = [None] * len(of_X)
    if sample_weight is not None:
        of_weights = partitions(sample_weight, f"{what}sample_weight", known_rows(X))
    for name, parts in (("y", of_y), ("sample_weight", of_weights)):
        if len(parts) != len(of_X):
            raise ValueError(f"{what}{name} has {len(parts)} partitions, and X has {len(of_X)}; they must correspond")
    return list(zip(of_X, of_y, of_weights, strict=True))
