"""The face in pytest: the only floor that knows pytest, pytest-benchmark and xdist; what measures lies below.

`hooks` is the entry point, all signposts. `options` and `settings` are what a person sets, `session` what a process
knows of its run, `collecting` and `marker` which tests are cases, `models` and `servers` who answers, `runners` and
`fixtures` what a test holds, `probing` its examples of a property, `opening` and `closing` what is said and done before
and after, `workers` xdist's part, `record` and its kin pytest-benchmark's. This package file stays free of imports.
"""
