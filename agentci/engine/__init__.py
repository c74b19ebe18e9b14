"""Executing a plan: scheduling, the journal and its canonical part, budget, resume.

Knows step kinds only by their protocol, and the outside only through ports.
"""
