"""Learners for tables, compared on tables of yours."""
