"""The making of the public functions: ufuncs from the table, functions composed of them, and docstrings."""
