"""Results as text for people and programs: one file a format.

A format turns a value (a decision, a suite's results) into a string, and decides nothing: what it
says is what the value says. No files, no clock, no environment.
"""
