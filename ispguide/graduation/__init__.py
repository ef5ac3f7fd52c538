"""Graduation: what there is to keep when all chapters are done.

`gathered` puts together what was seen, `symptoms` reads the way home from the
notebooks, `duties` says what is left to do.  `notebook.graduation` writes the report.
"""

from ispguide.graduation.gathered import Graduation, Tried

__all__ = ["Graduation", "Tried"]
