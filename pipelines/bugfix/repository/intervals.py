"""Closed integer intervals, as pairs of a start and an end."""


def merge(intervals):
    """Return the intervals in order, with those that overlap or touch joined into one."""
    intervals.sort()
    merged = []
    for start, end in intervals:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def covers(intervals, point):
    """Say whether any of the intervals contains the point."""
    return any(start <= point <= end for start, end in intervals)
