"""What `verbose` shows during a fit: nothing, scikit-learn's lines, or a progress bar."""

from typing import Any

import numpy as np


def choose(verbose: bool | int, n_epochs: int) -> "Nothing":
    """Return the display for `verbose`: lines for True and for 2 or more, a bar for 1 if tqdm is installed.

    Parameters
    ----------
    verbose : bool or int
    n_epochs : int
        The maximum number of epochs.
    """
    if verbose == 1 and not isinstance(verbose, bool | np.bool_):
        try:
            return Bar(n_epochs)
        except ImportError:
            return Lines()
    return Lines() if verbose else Nothing()


class Nothing:
    """Shows nothing."""

    def epoch(self, n_iter: int, loss: float, score: float | None = None) -> None:
        """Show an epoch."""

    def say(self, text: str) -> None:
        """Show a message."""

    def close(self) -> None:
        """Clean up."""


class Lines(Nothing):
    """Prints a line per epoch."""

    def epoch(self, n_iter: int, loss: float, score: float | None = None) -> None:
        print(f"Iteration {n_iter}, loss = {loss:.8f}")
        if score is not None:
            print(f"Validation score: {score:f}")

    def say(self, text: str) -> None:
        print(text)


class Bar(Nothing):
    """Moves a progress bar by tqdm, in a terminal or a notebook."""

    def __init__(self, n_epochs: int) -> None:
        from tqdm.auto import tqdm

        self.bar: Any = tqdm(total=n_epochs, desc="fit", unit="epoch")

    def epoch(self, n_iter: int, loss: float, score: float | None = None) -> None:
        shown = {"loss": f"{loss:.4g}"} | ({} if score is None else {"score": f"{score:.4g}"})
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update(n_iter - self.bar.n)

    def say(self, text: str) -> None:
        self.bar.write(text)

    def close(self) -> None:
        self.bar.close()
