"""Greetings."""


def greet(name):
    """Return a greeting for the name."""
    return f"Hello, {name}!"
