"""What the estimators are made of, from their parameters to the course of a fit."""
