# cython: language_level=3, freethreading_compatible=True
"""BLAS on one thread while our own threads call it.

Two pools of threads on the same cores slow each other down, and bits would depend on their number. The number is one for
the whole process, so uses of it are counted: the first sets it, and the last, whichever that is, sets it back. Ctrl-C can
come while Python runs only, which is while the libraries' controllers are called: this module is compiled for that.
"""

import os
import threading

from pyrelu import _blas

cdef object lock = threading.RLock()  # a signal's handler may train, too
cdef dict users = {}  # thread -> how many uses are its own
cdef list before = []  # (what sets a library's number of threads, that number)


def _forget_other_threads():
    """In a forked child, where the other threads that use BLAS are not: they would hold their locks and uses for ever."""
    global lock, users
    lock = threading.RLock()
    used, ident = bool(users), threading.get_ident()
    users = {ident: users[ident]} if ident in users else {}
    if used and not users:
        restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_other_threads)


def limit():
    """Limit BLAS to one thread, until `release` has been called as often."""
    global before
    libraries, ident = _blas.libraries(), threading.get_ident()
    lock.acquire()
    try:
        first = not users
        if first:
            before = [(set_number, get_number()) for get_number, set_number in libraries]
        users[ident] = users.get(ident, 0) + 1
        try:
            for _, set_number in libraries if first else ():
                set_number(1)
        except BaseException:
            release()
            raise
    finally:
        lock.release()


def release():
    """End a use; the last one sets the numbers of threads back."""
    ident = threading.get_ident()
    interrupt = uninterrupted(lock.acquire, ())
    users[ident] -= 1
    if not users[ident]:
        del users[ident]
    interrupt = (None if users else restore()) or interrupt
    lock.release()
    if interrupt is not None:
        raise interrupt


cdef object restore():
    """Set the numbers of threads back; return what a signal's handler has raised meanwhile."""
    interrupt = None
    for set_number, n in before:
        interrupt = uninterrupted(set_number, (n,)) or interrupt
    return interrupt


cdef object uninterrupted(function, tuple arguments):
    """Call a function, again if a signal handler raises an exception meanwhile; return that exception."""
    raised = None
    for _ in range(100):
        try:
            function(*arguments)
            return raised
        except BaseException as error:
            raised = error
    return raised
