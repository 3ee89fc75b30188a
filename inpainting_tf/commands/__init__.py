"""The command lines, a module each: flags become arguments of one call into the library."""
