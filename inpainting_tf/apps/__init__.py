"""Web pages around the package; what they need besides it is the extra `apps`."""
