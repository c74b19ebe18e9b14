"""Datasets, one format each, found by the rows of `registry`; `cases` makes cases of their rows.

A reader turns bytes into rows with their line numbers and refuses what is no JSON. It knows no
suite; what the fields of a row mean stands in the suite, and only `cases` reads that.
"""
