"""The command lines, a module each: flags become arguments of calls into the library.

A command is a module with a docstring (its help: what it does, then how to call it), `define_flags` and
`run`; see `cli.Command`. `cli.main` runs one, `main` has the programs that are installed. Importing a command
defines no flag and loads no framework.
"""
