"""The web pages (the extra `apps`): one that repairs pictures, and the rating study."""
