"""A calculator for lists of numbers."""


def mean(numbers):
    """Return the arithmetic mean."""
    return sum(numbers) / len(numbers)
