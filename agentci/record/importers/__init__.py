"""Recordings of other tools, read as data and turned into interactions of ours.

One file for each format; `registry` tells by content which one a file is of. What is read here is
not trusted: no object is ever built from a tag, nothing grows without bound, and every failure is
an error with a name. Nothing here opens a file, or imports a provider or another tool.
"""
