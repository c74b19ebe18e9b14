"""Secrets in recordings: finding them, replacing them, and what a person has allowed.

`rules` and `plausible` say what a secret looks like; `views`, `stream` and `wrappings` undo what a
text may be written in; `search` puts them together for one text, `scan` for a recording, and
`redactor` replaces what was found. Nothing here reads or writes a cassette, and a replay imports
none of it, unless the recordings were redacted.
"""
