"""Scorers, one file each in `kinds`, found by the rows of `registry`.

A scorer says of one answer how good it is. It knows no suite, no other scorer, and asks models and
commands only through the services that it is given, so that all it learns from outside is recorded
in a lane of its own.
"""
