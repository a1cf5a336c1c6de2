"""Helpers of the scripts in examples/, installed with the package so that a downloaded script runs."""
