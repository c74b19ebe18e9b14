"""Evaluation: datasets, scorers, results, and the statistics that compare them.

What is here knows cases, scores and numbers. It does not know files of a project, git, policies or
what blocks a merge; the use cases in `app` put runs of the engine and scorers together.
"""
