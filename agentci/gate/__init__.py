"""The merge gate: from two evaluations and a policy to one decision. Pure.

`decide` makes the decision; everything that is printed or written (text, comments, annotations,
reports, exit codes) is read from it, so that no two outputs can disagree. Nothing here reads
files, git or clocks: the day on which a quarantine ends is an argument.
"""
