"""Tables in files, read by pandas. A fault in one is reported with its line and column."""

import csv
import difflib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pyrelu._text import listed
from pyrelu.exceptions import InvalidFileError, MissingExtraError

SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Format:
    """How a file is written, as far as it does not say so itself.

    Attributes
    ----------
    sep : str or None
        What separates the cells; None: the most frequent of SEPARATORS in the header.
    decimal : str
    thousands : str or None
    encoding : str or None
        None: the encoding of the byte order mark, or UTF-8 without one.
    missing : sequence of str
        Texts that stand for a missing value, in addition to those that pandas recognises.
    """

    sep: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()

    def is_sound(self) -> bool:
        """Tell whether a file can be read so."""
        characters = [self.decimal, *(c for c in (self.sep, self.thousands) if c is not None)]
        return (
            all(type(c) is str and len(c) == 1 and c not in '"\r\n' for c in characters)
            and self.decimal != self.thousands
            and (self.encoding is None or is_encoding(self.encoding))
            and all(type(text) is str for text in self.missing)
        )


PLAIN = Format()


def is_encoding(name: object) -> bool:
    """Tell whether a text is the name of an encoding that Python knows."""
    try:
        return type(name) is str and "".encode(name) is not None
    except (LookupError, ValueError):
        return False


@dataclass
class Table:
    """What `read` returns.

    Attributes
    ----------
    path : str
    frame : DataFrame
        The columns by name. Text is not converted; an empty cell, NA or null is missing.
    header : list of str
        All names, with those that occur twice.
    breaks : int
        In how many places rows come next to each other that do not in what they are from.
    """

    path: str
    frame: Any
    header: list[str]
    place: Callable[[int], str] = field(default="row {}".format, repr=False)  # row -> text
    breaks: int = 0

    def where(self, row: int) -> str:
        """Return a description of where in the file a row is."""
        return self.place(row)

    def check(self, names: Iterable[str], unique: bool = True) -> None:
        """Raise InvalidFileError if one of these columns is missing or, with `unique`, occurs twice."""
        known = set(self.header)
        if absent := [name for name in names if name not in known]:
            raise InvalidFileError(self.path, no_column(absent, self.header))
        if not unique or len(known) == len(self.header):
            return
        first: dict[str, int] = {}
        names = set(names)
        for i, name in enumerate(self.header, 1):
            if first.setdefault(name, i) != i and name in names:
                raise InvalidFileError(
                    self.path,
                    f"has two columns named {name!r}: column {first[name]} and column {i} of the header; rename one, or "
                    f"leave out both with --ignore",
                )


def read(path: str, format: Format = PLAIN, texts: Sequence[str] = ()) -> Table:
    """Read a table: CSV, also compressed; Parquet and Excel files by the ends of their names; folders of Parquet files.

    Parameters
    ----------
    path : str
        "-" is the standard input.
    format : Format
    texts : sequence of str
        Columns whose cells are kept as text, even if all of them are numbers.

    Returns
    -------
    Table

    Raises
    ------
    InvalidFileError
        If the file does not contain a valid table.
    MissingExtraError
        If the package that reads this format is not installed.
    OSError
        If the file cannot be opened.
    """
    try:
        import pandas  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("pandas") from error
    if os.path.isdir(path):
        from pyrelu._commands.parquet_folder import ParquetFolder

        return ParquetFolder(path, format).read()
    ending = os.path.splitext(path)[1].lower()
    if ending in (".parquet", ".pq"):
        return _typed(path, "pyarrow", "read_parquet", format)
    if ending in (".xlsx", ".xlsm"):
        return _typed(path, "openpyxl", "read_excel", format)
    if ending in (".xls", ".ods"):
        raise InvalidFileError(path, "is a spreadsheet of a kind that is not read; save it as .xlsx or .csv")
    with open(sys.stdin.fileno() if path == "-" else path, "rb", closefd=path != "-") as file:
        content = file.read()
    name = "standard input" if path == "-" else path
    return _csv(name, _decompressed(name, content), format, texts)


# ---- files whose cells have types ----


def _typed(path: str, package: str, reader: str, format: Format) -> Table:
    import pandas

    with open(path, "rb"):
        pass  # the errors of open are the ones that users know
    keywords = {"na_values": list(format.missing)} if reader == "read_excel" else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles, for example
            frame = getattr(pandas, reader)(path, engine=package, **keywords)
    except ImportError as error:
        raise MissingExtraError(package) from error
    except Exception as error:
        what = "Parquet" if package == "pyarrow" else "Excel"
        raise InvalidFileError(path, f"cannot be read as {what}: {first_line(error)}") from None
    frame.columns = [str(name).strip() for name in frame.columns]
    header = list(frame.columns)
    frame = frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)
    if format.missing and reader == "read_parquet":
        frame = frame.replace(list(format.missing), None)
    first = 2 if package == "openpyxl" else 1  # a sheet's first row is the header
    return _with_rows(Table(path, frame, header, lambda row: f"row {row + first}"))


# ---- CSV ----


def _decompressed(path: str, content: bytes) -> bytes:
    """Return the content of a compressed file, which its first bytes give away."""
    import bz2
    import gzip
    import lzma
    import zipfile
    import zlib

    try:
        if content.startswith(b"\x1f\x8b"):
            return gzip.decompress(content)
        if content.startswith(b"BZh") and content[4:10] == b"1AY&SY":
            return bz2.decompress(content)
        if content.startswith(b"\xfd7zXZ\0"):
            return lzma.decompress(content)
        if content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                if "[Content_Types].xml" in names:
                    raise InvalidFileError(path, "is an Excel file; give it a name that ends in .xlsx")
                if len(names) != 1:
                    raise InvalidFileError(path, f"holds {len(names)} files; a zip file must hold one table")
                return archive.read(names[0])
        if content.startswith(b"\x28\xb5\x2f\xfd"):
            return _zstd(content)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, ValueError) as error:
        if isinstance(error, InvalidFileError):
            raise
        raise InvalidFileError(path, f"is compressed and damaged: {first_line(error)}") from None
    if content.startswith(b"PAR1"):
        raise InvalidFileError(path, "is a Parquet file; give it a name that ends in .parquet")
    return content


def _zstd(content: bytes) -> bytes:
    try:
        from compression import zstd  # Python 3.14

        content = zstd.decompress(content)
    except ImportError:
        try:
            import zstandard
        except ImportError as error:
            raise MissingExtraError("zstandard") from error
        try:
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        except zstandard.ZstdError as error:
            raise ValueError(error) from error
    return content


_MARKS = {  # UTF-32 first: its mark begins with that of UTF-16
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}


def _csv(path: str, content: bytes, format: Format, texts: Sequence[str]) -> Table:
    import pandas

    encoding = format.encoding or next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding.startswith("utf-8") and b"\0" in content[:4096]:
        raise InvalidFileError(path, "is not a text file; CSV, Parquet (.parquet) and Excel (.xlsx) can be read")
    records = _records(path, content, encoding, format.sep)
    (line, header), first = next(records, (0, None)), next(records, None)
    if header is None:
        raise InvalidFileError(path, "is empty")
    sep = records.sep
    header = [name.strip() for name in header]
    if first and len(first[1]) == len(header) + 1 and first[1][-1].strip():
        header.insert(0, "")  # as R's write.table has it: the row's name has no heading
    columns = _unique(header)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            frame = pandas.read_csv(
                io.BytesIO(content),
                sep=sep,
                encoding=encoding,
                decimal=format.decimal,
                thousands=format.thousands,
                na_values=list(format.missing),
                names=columns,
                header=0,
                index_col=False,
                dtype={name: str for name in texts if name in set(columns)},
                skipinitialspace=True,
                low_memory=False,  # one type for each column
                **_exact_numbers(pandas.__version__),
            )
    except UnicodeDecodeError:
        raise _undecodable(path, content, encoding, header) from None
    except (pandas.errors.ParserError, pandas.errors.ParserWarning, ValueError, OverflowError) as error:
        raise InvalidFileError(path, _fault(records, line, header, error)) from None
    frame = frame.copy()  # in one block for each type; in one for each column, selections would take far longer
    return _with_rows(Table(path, frame, header, _Lines(path, content, encoding, sep).place))


def _exact_numbers(version: str) -> dict[str, Any]:
    """Return what pandas 2 needs to read numbers without errors of a bit or two; later versions warn of it."""
    return {"float_precision": "round_trip"} if version.startswith("2.") else {}


def _with_rows(table: Table) -> Table:
    if not len(table.frame):
        raise InvalidFileError(table.path, "has a header, but no rows")
    return table


class _records:
    """Iterate over the records of a CSV file that are not blank, each with the line that it begins on."""

    def __init__(self, path: str, content: bytes, encoding: str, sep: str | None) -> None:
        self.text = io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace", newline="")
        if sep is None:
            header = next((line for line in self.text if line.strip()), "")
            outside = "".join(header.split('"')[::2])
            sep = max(SEPARATORS, key=outside.count)
            self.text.seek(0)
        self.path, self.sep = path, sep
        self.reader = csv.reader(self.text, delimiter=sep, skipinitialspace=True)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            before = self.reader.line_num
            try:
                record = next(self.reader)
            except csv.Error as error:
                raise InvalidFileError(self.path, f"line {self.reader.line_num}: {error}") from None
            if record and record != [""]:
                return before + 1, record


class _Lines:
    """Finds the lines of rows; reads the file once more for that, as only errors need them."""

    def __init__(self, *file: Any) -> None:
        self.file = file
        self.lines: list[int] | None = None

    def place(self, row: int) -> str:
        if self.lines is None:
            self.lines = [line for line, _ in _records(*self.file)][1:]
        return f"line {self.lines[row] if row < len(self.lines) else row + 2}"


def _unique(header: Sequence[str]) -> list[str]:
    """Return the header with a number after each name that has been there before."""
    seen, names = set(), []
    for i, name in enumerate(header):
        unique = name if name not in seen else f"{name}\0{i}"
        seen.add(unique)
        names.append(unique)
    return names


def _undecodable(path: str, content: bytes, encoding: str, header: Sequence[str]) -> InvalidFileError:
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return InvalidFileError(
            path, f"line {line}: the text is not {encoding.upper()}; name its encoding, as in --encoding cp1252"
        )
    return InvalidFileError(path, f"is not {encoding.upper()}")


def _fault(records: _records, line: int, header: Sequence[str], error: Exception) -> str:
    """Return what is wrong with a file that pandas cannot read; most often a row is too long."""
    records = _records(records.path, records.text.buffer.getvalue(), records.text.encoding, records.sep)
    next(records)
    for line, record in records:
        if len(record) > len(header) and (len(record) > len(header) + 1 or record[-1].strip()):
            return f"line {line}: the row has {len(record)} cells, the header {len(header)}"
    text = first_line(error).removeprefix("Error tokenizing data. C error: ")
    if "EOF inside string" in text:
        return f"line {line}: a quotation mark is opened and never closed"
    return f"cannot be read as CSV: {text}"


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


# ---- words ----


def no_column(absent: Sequence[str], header: Sequence[str]) -> str:
    what = "column" if len(absent) == 1 else "columns"
    close = difflib.get_close_matches(absent[0], header[:1000], n=1) if len(absent) == 1 else []
    other = next((c for c in SEPARATORS if len(header) == 1 and c in header[0]), None)
    advice = f" (did you mean {close[0]!r}?)" if close else f" (try --sep {other!r})" if other else ""
    return f"has no {what} {listed(absent)}; it has: {listed(header)}{advice}"
