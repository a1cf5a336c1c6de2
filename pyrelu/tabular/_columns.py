"""One column of a table, whatever container it comes from: what it holds, as numbers or as levels."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrelu._text import number_as_text

ALLOWED = "numbers, booleans, text, categories, dates and durations"
NUMERIC = ("number", "date", "duration")  # kinds whose columns are numbers
KINDS = (*NUMERIC, "boolean", "category", "missing")
BOOLEANS = ["False", "True"]

_EPOCH = datetime.datetime(1970, 1, 1)
_DAY = datetime.timedelta(days=1)
# Of pandas and numpy.ma, known by their names, as nothing here imports pandas.
_MISSING = ("NoneType", "NAType", "NaTType", "MaskedConstant")


class UnsupportedColumn(ValueError):
    """A column holds what a table may not hold.

    Parameters
    ----------
    dtype : str
    what : str, default=None
        What it holds, where the type alone would be allowed.
    row : int, default=None
        Where it holds that, among the rows that were read.
    """

    def __init__(self, dtype: str, what: str | None = None, row: int | None = None) -> None:
        self.dtype, self.what, self.row = dtype, what, row

    def message(self, column: str, start: int) -> str:
        """Return the message for a column of this name, of which the rows from `start` on were read."""
        kind = "Complex data not supported" if "complex" in (self.what or self.dtype) else "Data not supported"
        where = "" if self.row is None else f" in row {start + self.row}"
        what = f" holds {self.what}{where}" if self.what else ""
        return f"{kind}: column {column} of dtype {self.dtype}{what}; columns may hold {ALLOWED}"


@dataclass
class Column:
    """A column of a table.

    Attributes
    ----------
    kind : str
        One of KINDS; "missing": it has no value at all.
    dtype : str
        As the user knows it.
    numbers : ndarray of float64 or None
        Of a kind in NUMERIC; dates are days since 1970-01-01, durations are days. NaN: missing.
    codes : ndarray of intp or None
        Of the other kinds: positions in `texts`; -1: missing.
    texts : list of str
        No text is there twice, but not every one needs to occur.
    has_zone : bool
        Whether dates have a time zone. They are in UTC then.
    raw : ndarray or None
        The numbers before they became float64, which changes large integers. Anything where one is missing.
    """

    kind: str
    dtype: str
    numbers: NDArray[np.float64] | None = None
    codes: NDArray[np.intp] | None = None
    texts: list[str] = field(default_factory=list)
    has_zone: bool = False
    raw: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if not self.known().any():
            self.kind = "missing"

    def known(self) -> NDArray[np.bool_]:
        """Return which rows have a value."""
        if self.codes is not None:
            return self.codes >= 0
        assert self.numbers is not None  # a column has the ones or the others
        return ~np.isnan(self.numbers)

    def as_levels(self) -> tuple[NDArray[np.intp], list[str]]:
        """Return codes and texts, of columns of numbers as well: a level is known by its text, as 1 and 1.0 by "1"."""
        if self.codes is not None:
            return self.codes, self.texts
        assert self.numbers is not None
        known = self.known()
        if self.raw is not None and self.raw.dtype == object:  # where 1 == True, which are two levels
            return _factorised([_text(value) if is_known else None for value, is_known in zip(self.raw, known)])
        values, inverse = np.unique((self.numbers if self.raw is None else self.raw)[known], return_inverse=True)
        as_text = _AS_TEXT.get(self.kind, number_as_text)
        codes = np.full(len(known), -1)
        codes[known] = inverse
        return _without_twins(codes, [as_text(value) for value in values])

    def holds(self, row: int) -> str:
        """Say what a row holds."""
        if self.codes is not None:
            return repr(self.texts[self.codes[row]])
        assert self.numbers is not None
        return _AS_TEXT.get(self.kind, number_as_text)(self.numbers[row])

    def first_row(self, numbers: bool = False) -> int:
        """Return the first row with a value; with `numbers`, the first that is not even a number in quotes."""
        rows = self.known()
        if (
            self.codes is not None
            and numbers
            and (odd := rows & ~np.array([*map(_is_number, self.texts), True])[self.codes]).any()
        ):
            rows = odd
        return int(np.argmax(rows))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _date_as_text(days: float) -> str:
    try:
        text = str(_EPOCH + days * _DAY)
    except OverflowError:
        return f"{days:.15g} days after 1970-01-01"
    return text.removesuffix(" 00:00:00")


_AS_TEXT: dict[str, Callable[[Any], str]] = {"date": _date_as_text, "duration": "{:.15g} days".format}


def _without_twins(codes: NDArray[np.intp], texts: Sequence[str]) -> tuple[NDArray[np.intp], list[str]]:
    """Return codes and texts such that no text occurs twice."""
    index: dict[str, int] = {}
    new = np.array([*(index.setdefault(text, len(index)) for text in texts), -1])
    return new[codes], list(index)


def _factorised(texts: Sequence[str | None]) -> tuple[NDArray[np.intp], list[str]]:
    """Return codes and texts of a list of texts, None where missing."""
    index: dict[str | None, int] = {None: -1}
    codes = np.fromiter((index.setdefault(text, len(index) - 1) for text in texts), np.intp, len(texts))
    return codes, [text for text in index if text is not None]


# ---- from arrays ----


def of_array(values: NDArray[Any], dtype: str | None = None, missing: NDArray[np.bool_] | None = None) -> Column:
    """Return the Column of a NumPy array of one dimension; `missing` are the rows without a value, for integers."""
    dtype = dtype or str(values.dtype)
    match values.dtype.kind:
        case "b":
            return Column("boolean", dtype, codes=values.astype(np.intp), texts=BOOLEANS)
        case "i" | "u" | "f":
            with np.errstate(over="ignore"):
                numbers = values.astype(np.float64)
            if missing is not None:
                numbers[missing] = np.nan
            return Column("number", dtype, numbers, raw=values)
        case "M":
            return of_dates(values, dtype)
        case "m":
            return Column("duration", dtype, _days(values))
        case "U" | "T":
            return of_objects(values.tolist(), dtype)
        case "O":
            return of_objects(values.tolist(), dtype)
    raise UnsupportedColumn(dtype)


def of_dates(values: NDArray[np.datetime64], dtype: str, has_zone: bool = False) -> Column:
    """Return the Column of an array of datetime64, in UTC with a zone."""
    return Column("date", dtype, _days(values), has_zone=has_zone)


def of_codes(codes: NDArray[np.integer[Any]], values: Sequence[object], dtype: str) -> Column:
    """Return the Column of a categorical dtype: codes, negative where missing, and the values that they are of."""
    missing = np.array([*map(is_missing, values), True], dtype=bool)
    given: NDArray[np.intp] = np.where(codes < 0, -1, codes).astype(np.intp)
    own, texts = _without_twins(np.where(missing[given], -1, given), list(map(_text, values)))
    return Column("category", dtype, codes=own, texts=texts)


def of_maybe_booleans(values: NDArray[np.float64], dtype: str) -> Column:
    """Return the Column of 1, 0 and NaN."""
    codes = np.where(np.isnan(values), -1, values).astype(np.intp)
    return Column("boolean", dtype, codes=codes, texts=BOOLEANS)


def _days(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return datetime64 or timedelta64 as days, from 1970-01-01 on; NaN where missing."""
    if np.datetime_data(values.dtype)[0] in ("Y", "M"):
        if values.dtype.kind == "m":
            raise UnsupportedColumn(str(values.dtype), "years or months, which have no fixed length")
        values = values.astype("datetime64[D]")
    unit, count = np.datetime_data(values.dtype)
    if unit == "generic":
        if not np.isnat(values).all():
            raise UnsupportedColumn(str(values.dtype), "durations without a unit")
        return np.full(len(values), np.nan)
    in_a_day = {"W": 1 / 7, "D": 1, "h": 24, "m": 1440, "s": 86400}.get(unit)
    if in_a_day is None:
        in_a_day = 86400 * 10 ** (3 * (1 + ["ms", "us", "ns", "ps", "fs", "as"].index(unit)))
    return np.where(np.isnat(values), np.nan, values.astype(np.int64) / (in_a_day / count))


# ---- from objects ----


def is_missing(value: object) -> bool:
    """Tell whether an object stands for a missing value."""
    if type(value).__name__ in _MISSING:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, float | np.floating | np.datetime64 | np.timedelta64) and bool(value != value)


def _meaning(cls: type) -> str | None:
    """Return what instances of a class are, or None where a table may not hold them."""
    if issubclass(cls, str):
        return "category"
    if issubclass(cls, bool | np.bool_):
        return "boolean"
    if issubclass(cls, datetime.date | np.datetime64):
        return "date"
    if issubclass(cls, datetime.timedelta | np.timedelta64):  # before the numbers, as timedelta64 claims to be one
        return "duration"
    return "number" if issubclass(cls, Real | Decimal) else None


def of_objects(values: Sequence[Any], dtype: str) -> Column:
    """Return the Column of a list of objects: numbers where all are numbers, ..., categories where they are mixed."""
    classes = set(map(type, values))
    meanings = {cls: _meaning(cls) for cls in classes if cls.__name__ not in _MISSING}
    if None in meanings.values():
        row = next(i for i, value in enumerate(values) if meanings.get(type(value), "") is None)
        raise UnsupportedColumn(dtype, f"a value of type {type(values[row]).__name__}", row)
    if len(set(meanings.values())) > 1:  # NaN is a number beside texts
        values = [None if is_missing(value) else value for value in values]
        meanings = {cls: _meaning(cls) for cls in set(map(type, values)) if cls is not type(None)}
    kinds = set(meanings.values())
    if kinds <= {"number"} or kinds == {"number", "boolean"}:
        numbers = np.array([np.nan if is_missing(value) else _float(value) for value in values], dtype=float)
        raw = np.empty(len(values), dtype=object)
        raw[:] = values
        return Column("number", dtype, numbers, raw=raw)
    if kinds == {"boolean"}:
        return of_maybe_booleans(np.array([np.nan if is_missing(v) else float(v) for v in values], float), dtype)
    if kinds == {"date"}:
        return _of_date_objects(values, dtype)
    if kinds == {"duration"}:
        return Column("duration", dtype, np.array([np.nan if is_missing(v) else _duration(v) for v in values], float))
    if not classes <= {str, type(None)}:
        values = [None if is_missing(value) else _text(value) for value in values]
    codes, texts = _factorised(values)
    return Column("category", dtype, codes=codes, texts=texts)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str.__str__(value)  # the text of an enumeration's member too
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    match _meaning(type(value)):
        case "date":
            return _date_as_text(_date(value)[0])
        case "duration":
            return _AS_TEXT["duration"](_duration(value))
        case "number":
            return number_as_text(value if isinstance(value, Integral | float | np.floating) else float(value))
    return str(value)


def _duration(value: datetime.timedelta | np.timedelta64) -> float:
    days: float = _days(np.array([value], "timedelta64"))[0]
    return days


def _date(value: datetime.date | np.datetime64) -> tuple[float, bool]:
    """Return a date as days since 1970-01-01, and whether it has a time zone."""
    if isinstance(value, np.datetime64):
        return _days(np.array([value]))[0], False
    if not isinstance(value, datetime.datetime):
        return float(value.toordinal() - _EPOCH.toordinal()), False
    has_zone = value.utcoffset() is not None
    epoch = _EPOCH.replace(tzinfo=datetime.UTC) if has_zone else _EPOCH
    return (value - epoch) / _DAY, has_zone


def _of_date_objects(values: Sequence[Any], dtype: str) -> Column:
    zones, days = set(), np.full(len(values), np.nan)
    for i, value in enumerate(values):
        if not is_missing(value):
            days[i], has_zone = _date(value)
            zones.add(has_zone)
    if len(zones) > 1:
        raise UnsupportedColumn(dtype, "dates with and without a time zone")
    return Column("date", dtype, days, has_zone=True in zones)
