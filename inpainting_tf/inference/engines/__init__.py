"""Runtimes besides Keras that run a completion network."""
