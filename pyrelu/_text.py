"""Tables as text."""


def aligned(lines):
    """Return lines of cells as text in columns.

    Parameters
    ----------
    lines : list of list of str
        The headings, then the rows.

    Returns
    -------
    str
        The first column is aligned to the left, all others to the right; a rule follows the headings.

    Examples
    --------
    >>> print(aligned([["name", "n"], ["relu", "12"]]))
    name   n
    ----  --
    relu  12
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    headings, *rows = lines
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [headings, ["-" * width for width in widths], *rows]
    )
