"""`pytest-chimera compare`: saved runs against saved runs, by the rule of the gate, without running anything.

`sides` pairs the cases, `cli` is the command line; `table`, `trend`, `formats` and `picture` show what was found.
"""
