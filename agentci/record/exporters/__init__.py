"""Recordings of ours as other tools read them: one file for each format, pure functions to bytes.

What another format cannot hold is named, never dropped in silence. Nothing here opens a file.
"""
