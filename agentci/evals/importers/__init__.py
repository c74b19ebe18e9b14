"""Evaluations of other tools, read into suites, datasets and results.

Nothing of what is imported is executed, and no file outside of its folder is read. What cannot be
taken over is told, place by place. No files are opened here: whoever calls gives their content.
"""
