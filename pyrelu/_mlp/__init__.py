"""The parts of the estimators, from parameters to the training loop."""
