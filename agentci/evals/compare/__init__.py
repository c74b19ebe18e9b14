"""Statistics of two runs over the same cases, one method a module: numbers in, numbers out.

Nothing here does I/O or knows suites, policies, files or what a metric is called. Differences are
head minus base throughout, and p values are one-sided: how often chance alone would make the head
look at least this much worse. What only works with scipy imports it where it is used, so that a
gate over recorded answers (McNemar, Newcombe, Holm) never loads it.
"""
