"""Moving house: from an older server to this one, stage by stage.

`places` knows names and files, `stages` where a move stands and what comes next.  What
is done on the server is done by a program there, `ispguide-move`.
"""
