"""The command lines, a module each: flags become arguments of calls into the library.

A command is a module with a docstring (its help: what it does, then examples), `define_flags` and `run`; see
`cli.Command`. `cli.main` runs one, `main` has the installed programs. Importing a command defines no flag and
loads no framework.
"""
