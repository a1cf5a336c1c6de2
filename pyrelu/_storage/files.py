"""The package's files: safetensors with JSON, written atomically.

Reading a file runs no code from it. It contains the SHA-256 of its content, which reveals damage, but not who wrote it.
"""

import errno
import hashlib
import json
import os
import secrets
import stat
import zlib
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np
import safetensors
import safetensors.numpy

import pyrelu
from pyrelu._storage import temporary
from pyrelu._storage.encoding import Decoder, Encoder
from pyrelu.exceptions import InvalidFileError

Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Bytes: TypeAlias = bytes | memoryview

# Increased by 1 whenever older versions would misread the files.
FORMAT = 1

_tidied: set[str] = set()  # paths that this process has written to


def write_atomically(path: Path, *content: Bytes) -> None:
    """Write bytes so that `path` holds the complete old or the complete new file at any moment, even if the process is killed.

    They may be passed in parts. A device or a pipe, such as /dev/null, is written to directly.
    """
    path = os.fsdecode(path)
    if is_special(path):
        with open(path, "wb") as file:
            file.writelines(content)
        return
    if not path or os.path.isdir(path):
        code = errno.EISDIR if path else errno.ENOENT
        raise OSError(code, os.strerror(code), path)
    path = os.path.realpath(path)  # a link stays a link
    folder, name = os.path.split(path)
    prefix = f".pyrelu-{zlib.crc32(os.fsencode(name)):08x}-"  # short for any name
    if path not in _tidied:
        _remove_leftovers(folder, prefix)
        _tidied.add(path)
    handle: int | None = None
    draft = ""
    try:
        try:
            while handle is None:
                draft = os.path.join(folder, f"{prefix}{secrets.token_hex(8)}.tmp")
                handle = temporary.create(draft)
        except OSError as error:
            error.filename = path  # the name that the user knows
            raise
        with open(handle, "wb", closefd=False) as file:
            file.writelines(content)
        if os.path.exists(path) and hasattr(os, "fchmod"):
            os.fchmod(handle, os.stat(path).st_mode)
        os.fsync(handle)
        if not temporary.can_move_open_files():
            written, handle = handle, None
            os.close(written)
        os.replace(draft, path)
    except BaseException:
        if handle is not None:
            failed, handle = handle, None
            os.close(failed)
        if draft:
            with suppress(FileNotFoundError):  # Ctrl-C may come after the replacement
                os.unlink(draft)
        raise
    finally:
        if handle is not None:
            os.close(handle)
    temporary.sync(folder)


def _remove_leftovers(folder: str, prefix: str) -> None:
    """Remove temporary files of killed processes."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(prefix) and name.endswith(".tmp"):
                temporary.remove_if_left(os.path.join(folder, name))


def is_special(path: Path) -> bool:
    """Return whether `path` exists and is neither a file nor a folder."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def write(path: Path, kind: str, content: dict[str, Any]) -> None:
    """Write a dict of values that `encoding` knows.

    Parameters
    ----------
    path : str, bytes or path-like
    kind : str
        The kind of content, which `read` checks.
    content : dict of str: object

    Raises
    ------
    TypeError
        If a value cannot be written. The file stays unchanged.
    """
    encoder = Encoder()
    code = {name: encoder.encode(value, name) for name, value in content.items()}
    text = json.dumps({"format": FORMAT, "version": pyrelu.__version__, "kind": kind, "content": code}, allow_nan=False)
    metadata = {"pyrelu": text, "sha256": _digest(text, encoder.arrays)}
    write_atomically(path, *_serialize(encoder.arrays, metadata))


def _serialize(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> list[Bytes]:
    """Return the parts of a safetensors file. safetensors' own writer aborts the process if memory runs out.

    The largest items come first, so that all are aligned.
    """
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    parts: list[Bytes] = []
    end = 0
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[1].dtype.str, item[0])):
        kind, bits = array.dtype.kind.upper(), 8 * array.itemsize
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": "BOOL" if kind == "B" else f"{kind}{bits}",
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        parts.append(array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8).data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # keeps the arrays aligned
    return [len(text).to_bytes(8, "little"), text, *parts]


_SPARE = 2**22  # bytes for what safetensors allocates beside the arrays


def read(path: Path, kind: str) -> dict[str, Any]:
    """Return the dict that `write` wrote.

    Raises
    ------
    InvalidFileError
        A ValueError: the file is truncated, damaged, of another kind, of another program or of a newer version.
    OSError
        The file cannot be opened.
    """
    path = os.fsdecode(path)
    with open(path, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a device may be endless
            raise InvalidFileError(path, "is a device or a pipe, not a file")
        data = file.read()  # not mapped: if another process truncated a mapped file, reading it would kill this one
    try:
        arrays = _arrays(data)
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__") or {}
        del data
        if "pyrelu" not in metadata:
            raise InvalidFileError(path, "was not written by pyrelu")
        document = json.loads(metadata["pyrelu"])
        check_format(document["format"], document["version"], path)
        if metadata["sha256"] != _digest(metadata["pyrelu"], arrays):
            raise InvalidFileError(path, "is damaged: its content does not have the SHA-256 that it says")
        if document["kind"] != kind:
            raise InvalidFileError(path, f"holds {document['kind']}, not {kind}")
        decoder = Decoder(arrays)
        del arrays  # frees each array as it is decoded
        return {name: decoder.decode(code) for name, code in document["content"].items()}
    except (InvalidFileError, MemoryError):
        raise
    except safetensors.SafetensorError as error:
        raise InvalidFileError(path, f"is truncated, or not a safetensors file ({error})") from None
    except Exception as error:
        raise InvalidFileError(path, f"is not as pyrelu writes it ({type(error).__name__}: {error})") from error


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file, by name."""
    np.empty(len(data) + _SPARE, np.uint8)  # a MemoryError here: safetensors would panic, and may wait for ever then
    try:
        arrays = safetensors.numpy.load(data)
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # not an Exception; raised if memory runs out
            raise MemoryError(f"safetensors: {error}") from None
        raise
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf" or (array.dtype.kind == "b" and (array.view(np.uint8) > 1).any()):
            raise ValueError(f"{name} is an array of {array.dtype} with values that this type has not")
    return arrays


def check_format(number: int, version: str, what: Path) -> None:
    """Raise InvalidFileError if a newer version of pyrelu wrote the file in a format that this version does not know."""
    if number > FORMAT:
        raise InvalidFileError(
            what,
            f"was written by pyrelu {version} in format {number}; this is pyrelu {pyrelu.__version__}, which reads up to "
            f"format {FORMAT}. Update pyrelu to read it",
        )


def _digest(text: str, arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
