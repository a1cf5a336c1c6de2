"""The commands, a module each, and their shared helpers."""
