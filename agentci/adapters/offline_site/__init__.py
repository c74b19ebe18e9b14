"""A folder for the path of Python programs that are started while the network is closed.

Python imports `sitecustomize` from it at every start; nothing else may be here, because everything
here would be importable under its short name.
"""
