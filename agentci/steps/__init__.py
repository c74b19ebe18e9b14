"""Step kinds, one file each in `kinds/`, and what they are given.

A kind does its work on the ports in its context and returns a result. It knows nothing of the
schedule, the journal or the cache; the engine calls it and keeps what it returns.
"""
