"""From a definition to a plan: graph, lanes, cache keys, static checks, pictures. All pure.

Everything here is a function of values that were read elsewhere: no files, no clock, no network,
and no knowledge of how steps are executed.
"""
