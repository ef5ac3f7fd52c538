"""The questions of the notebooks, and who judges the answers.  Pure."""
