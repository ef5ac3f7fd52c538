"""A notebook made of plain text: `python -m tests.cells TEXT NOTEBOOK`.

In the text each cell begins with a line `%% markdown ID` or `%% code ID`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbformat import v4

CELL = re.compile(r"^%% (markdown|code) (\S+)\n", re.M)
KERNEL = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}


def notebook(text: str) -> nbformat.NotebookNode:
    """`text` without a first line `%% …` is an error: nothing of it may be lost."""
    before, *parts = CELL.split(text)
    if before.strip():
        raise SystemExit(f"This stands before the first cell: {before.strip()[:60]!r}.")
    made = v4.new_notebook(metadata={"kernelspec": KERNEL})
    for kind, name, source in zip(*[iter(parts)] * 3, strict=True):
        new = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
        made.cells.append(new(source.strip(), id=name))
    return made


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    nbformat.write(notebook(source.read_text()), target)


if __name__ == "__main__":
    main()
