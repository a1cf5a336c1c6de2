"""What the columns of a table contain: numbers, text or dates, and the values as each of these."""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrelu._commands.table_file import PLAIN, Format, Table
from pyrelu._text import MOST_NAMED, number_as_text, shortened
from pyrelu.exceptions import InvalidFileError

MOSTLY = 0.9  # a column with this share of numbers is numeric, with mistakes
LIMIT = 1e150  # the square of a larger number may overflow
DATE_FORMATS = (
    "ISO8601",
    "%Y/%m/%d",
    "%m/%d/%Y",  # month first takes precedence, as in pandas
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
)
_ALMOST_A_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*[-+]?\d[\d.,'\u00a0 ]*([eE][-+]?\d+)?\s*[%$€£¥]?\)?")


@dataclass
class Kind:
    """What a column holds.

    Attributes
    ----------
    name : str
        "number", "text", "date" or "nothing".
    format : str
        Of dates.
    fault : str or None
        An error in the column, with its place.
    note : str or None
        A message for the user.
    """

    name: str
    format: str = ""
    fault: str | None = None
    note: str | None = None


def kinds_of(table: Table, names: Sequence[str], texts: Collection[str], format: Format) -> dict[str, Kind]:
    """Return the Kind of each column by name; columns that the user calls text are text."""
    usual = sound_numbers(table.frame[names])
    return {
        name: Kind("text") if name in texts else Kind("number") if name in usual else kind_of(table, name, format)
        for name in names
    }


def sound_numbers(frame: Any) -> set[str]:
    """Return the names of columns of numbers without faults. A fast path, because tables can be wide."""
    names = numeric_columns(frame)
    with np.errstate(invalid="ignore"):
        matrix = np.abs(frame[names].to_numpy(dtype=float))
        sound = (matrix <= LIMIT).any(axis=0) & ~(matrix > LIMIT).any(axis=0)
    return {name for name, is_sound in zip(names, sound, strict=True) if is_sound}


def numeric_columns(frame: Any) -> list[str]:
    """Return the names of the columns that have a NumPy type of numbers or booleans."""
    return [name for name, of in frame.dtypes.items() if isinstance(of, np.dtype) and of.kind in "biuf"]


def kind_of(table: Table, name: str, format: Format) -> Kind:
    """Return the Kind of a column.

    Parameters
    ----------
    table : Table
    name : str
    format : Format

    Returns
    -------
    Kind
    """
    import pandas

    column = table.frame[name]
    if column.isna().all():
        return Kind("nothing", note=f"column {name!r} is empty and is left out")
    if pandas.api.types.is_datetime64_any_dtype(column):
        return Kind("date", "ISO8601")
    numbers = as_numbers(column, format)
    wrong = np.isnan(numbers) & column.notna().to_numpy()
    if not wrong.any():
        return Kind("number", fault=size_fault(table, name, numbers))
    texts = pandas.Series(as_texts(column)[column.notna().to_numpy()])
    counts = texts.value_counts()
    if (date_format := _date_format(counts.index)) is not None:
        return Kind("date", date_format)
    odd = [text for text in counts.index if not is_number(text, format)]
    like = counts.drop(odd).sum() + sum(counts[text] for text in odd if almost_a_number(text))
    meant = like >= MOSTLY * len(texts) or (len(odd) == 1 and like >= len(texts) / 2)  # one that stands for missing
    few = len(counts) <= MOST_NAMED and len(texts) >= 5 * len(counts)  # such as 0, 1, 2, 3+
    if meant and not few:
        return Kind("number", fault=not_a_number(table, name, np.flatnonzero(wrong)[0], format))
    share = 1 - wrong.sum() / len(texts)
    mixed = "numbers and text" if share > 0.5 else "dates written in different ways" if _are_dates(counts.index) else ""
    return Kind("text", note=f"column {name!r} mixes {mixed} and is treated as text" if mixed else None)


def not_a_number(table: Table, name: str, row: int, format: Format) -> str:
    text = as_texts(table.frame[name].iloc[[row]])[0]
    return f"{table.where(row)}, column {name!r}: {shortened(text)} is not a number{advice(text, format)}"


def advice(text: str, format: Format) -> str:
    """Return a hint about the option with which a number in this notation can be read."""
    if sign := re.search(r"[$€£¥%]", text):
        return f" (remove the {sign[0]})"
    if format.thousands is None and re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        return " (try --thousands ,)"
    if format.decimal == "." and re.fullmatch(r"[-+]?[\d.]*,\d+", text):
        return " (try --decimal ,)"
    return ""


def size_fault(table: Table, name: str, numbers: NDArray[np.float64]) -> str | None:
    with np.errstate(invalid="ignore"):
        large = np.flatnonzero(np.abs(numbers) > LIMIT)
    if not len(large):
        return None
    value = numbers[large[0]]
    where = f"{table.where(large[0])}, column {name!r}:"
    return (
        f"{where} {value:g} is not finite" if np.isinf(value) else f"{where} {value:g} is not below {LIMIT:g} in size"
    )


def is_number(text: str, format: Format = PLAIN) -> bool:
    """Return whether a text is a number."""
    import pandas

    return bool(pandas.notna(_parsed(pandas.Series([text], dtype=object), format)[0]))


def almost_a_number(text: str) -> bool:
    """Return whether a text is meant to be a number, as in $21.00.

    Examples
    --------
    >>> almost_a_number("$21.00"), almost_a_number("21,0"), almost_a_number("18-25"), almost_a_number("A 21")
    (True, True, False, False)
    """
    return _ALMOST_A_NUMBER.fullmatch(text) is not None


def as_numbers(column: Any, format: Format = PLAIN) -> NDArray[np.float64]:
    """Return a column as floats, with NaN for values that are not numbers."""
    from pandas.api import types

    if types.is_bool_dtype(column) or types.is_numeric_dtype(column):
        numbers: NDArray[np.float64] = column.to_numpy(dtype=float, na_value=np.nan)
        return numbers
    present = column.dropna()
    if len(present) and all(isinstance(value, bool | np.bool_) for value in present):
        return np.array([np.nan if value is None or value != value else float(value) for value in column])
    return _parsed(column, format)


def _parsed(texts: Any, format: Format) -> NDArray[np.float64]:
    import pandas

    texts = texts.astype(object)
    if format.thousands:
        texts = texts.map(lambda text: text.replace(format.thousands, "") if isinstance(text, str) else text)
    if format.decimal != ".":
        texts = texts.map(lambda text: text.replace(format.decimal, ".") if isinstance(text, str) else text)
    numbers: NDArray[np.float64] = pandas.to_numeric(texts, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return numbers


def as_texts(column: Any) -> NDArray[np.object_]:
    """Return a column as text, with empty texts for missing values."""
    from pandas.api import types

    if types.is_float_dtype(column):
        texts = [number_as_text(v) for v in column.fillna(0)]
    else:
        texts = column.astype(object).map(lambda value: str(value).strip()).tolist()
    return np.where(column.isna().to_numpy(), "", np.array(texts, dtype=object))


def _date_format(texts: Any) -> str | None:
    import pandas

    texts = pandas.Series(texts, dtype=object)
    if not texts.str.contains(r"\d", regex=True).all() or not texts.str.len().between(6, 40).all():
        return None
    for date_format in DATE_FORMATS:
        if as_dates(texts.head(100), date_format).notna().all() and as_dates(texts, date_format).notna().all():
            return date_format
    return None


def _are_dates(texts: Any) -> bool:
    """Return whether each text is a date, in any of the formats."""
    import pandas

    texts = pandas.Series(texts[:100], dtype=object)
    if not texts.str.contains(r"\d", regex=True).all():
        return False
    return bool(np.any([as_dates(texts, date_format).notna() for date_format in DATE_FORMATS], axis=0).all())


def as_dates(column: Any, date_format: str) -> Any:
    import pandas
    from pandas.api import types

    if types.is_datetime64_any_dtype(column):
        return column.dt.tz_convert(None) if getattr(column.dt, "tz", None) is not None else column
    dates = pandas.to_datetime(
        pandas.Series(as_texts(column)).replace("", None), format=date_format, errors="coerce", utc=True
    )
    return dates.dt.tz_localize(None)


def raise_faults(path: str, faults: Mapping[str, str]) -> None:
    """Raise InvalidFileError with the faults of all columns, given as name -> fault."""
    if not faults:
        return
    shown = list(faults.values())[:5]
    names = list(faults)[:MOST_NAMED]
    more = f"; and {len(faults) - len(shown)} more columns" if len(faults) > len(shown) else ""
    raise InvalidFileError(
        path,
        "; ".join(shown) + f"{more}. If such a value stands for a missing one, name it with --missing; to take columns "
        f"as text, or to leave them out, give --text or --ignore {quoted(','.join(names))}",
    )


def quoted(text: str) -> str:
    """Return text quoted for a shell."""
    return shlex.quote(text)
