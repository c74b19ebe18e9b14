"""Datasets: one file per format, each a stream of rows with their lines.

From bytes to rows to cases; nothing here knows what a case is used for.
"""
