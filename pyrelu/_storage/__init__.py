"""Files of estimators and checkpoints, written whole or not at all, read without running code."""
