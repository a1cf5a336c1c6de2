"""Files of this package: safetensors with JSON, written whole or not at all.

Reading one runs no code from it. The SHA-256 of the content, in the file, shows damage; it does not show who wrote it.
"""

import hashlib
import json
import os
import secrets

import numpy as np
import safetensors.numpy

import pyrelu
from pyrelu._storage.encoding import Decoder, Encoder
from pyrelu.exceptions import InvalidFileError

# Raised by 1 whenever a reader of the number before would take what is written for something else.
FORMAT = 1


def write_atomically(path, content):
    """Write bytes so that at any moment, whatever is killed, `path` holds the old file or the whole of the new one.

    A device or a pipe, such as /dev/null, is written to and stays what it is.
    """
    if is_special(path):
        with open(path, "wb") as file:
            file.write(content)
        return
    path = os.path.realpath(path)  # a link stays a link
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(8)}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        error.filename = path  # the name that the user knows
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if os.path.exists(path):
                os.fchmod(file.fileno(), os.stat(path).st_mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync(folder)


def is_special(path):
    """Tell whether there is something at `path` that is neither a file nor a folder."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _sync(folder):
    """Have the folder's entry on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path, kind, content):
    """Write a dict of what `encoding` knows.

    Parameters
    ----------
    path : str or path-like
    kind : str
        What the file holds, for its reader to check.
    content : dict of str: object

    Raises
    ------
    TypeError
        Where something in it cannot be written. The file is as it was.
    """
    encoder = Encoder()
    code = {name: encoder.encode(value, name) for name, value in content.items()}
    text = json.dumps({"format": FORMAT, "version": pyrelu.__version__, "kind": kind, "content": code}, allow_nan=False)
    metadata = {"pyrelu": text, "sha256": _digest(text, encoder.arrays)}
    write_atomically(path, _in_order(safetensors.numpy.save(encoder.arrays, metadata)))


def _in_order(content):
    """Return a safetensors file with its metadata sorted: safetensors has them in a random order."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the arrays are to be aligned
    return b"".join([len(text).to_bytes(8, "little"), text, memoryview(content)[start:]])


def read(path, kind):
    """Return the dict that `write` wrote.

    Raises
    ------
    InvalidFileError
        A ValueError: the file is truncated, damaged, of another kind, of another program or of a newer version.
    OSError
        It cannot be opened.
    """
    with open(path, "rb"):
        pass  # the errors of open, such as FileNotFoundError, are the ones that users know
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if "pyrelu" not in metadata:
                raise InvalidFileError(path, "was not written by pyrelu")
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        document = json.loads(metadata["pyrelu"])
        check_format(document["format"], document["version"], path)
        if metadata["sha256"] != _digest(metadata["pyrelu"], arrays):
            raise InvalidFileError(path, "is damaged: its content does not have the SHA-256 that it says")
        if document["kind"] != kind:
            raise InvalidFileError(path, f"holds {document['kind']}, not {kind}")
        decoder = Decoder(arrays)
        return {name: decoder.decode(code) for name, code in document["content"].items()}
    except InvalidFileError:
        raise
    except safetensors.SafetensorError as error:
        raise InvalidFileError(path, f"is truncated, or no safetensors file ({error})") from None
    except Exception as error:
        raise InvalidFileError(path, f"is not as pyrelu writes it ({type(error).__name__}: {error})") from error


def check_format(number, version, what):
    """Raise InvalidFileError where a newer version of this package has written it in a way unknown to this one."""
    if number > FORMAT:
        raise InvalidFileError(
            what,
            f"was written by pyrelu {version} in format {number}; this is pyrelu {pyrelu.__version__}, which reads up to "
            f"format {FORMAT}. Update pyrelu to read it",
        )


def _digest(text, arrays):
    digest = hashlib.sha256(text.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.hexdigest()
