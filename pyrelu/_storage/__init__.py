"""The package's files: written atomically, and read without running code."""
