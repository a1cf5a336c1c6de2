"""How the public functions are made: the table's ufuncs, what Python composes of them, their docstrings."""
