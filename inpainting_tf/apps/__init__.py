"""What people use the package through: the command for the shell, and web pages (the extra `apps`)."""
