"""HTTP exchanges as recordings: how a request is keyed and a response is kept, and both back.

Pure functions from bytes to JSON and back, without loss. Nothing here opens a socket or a file, or
knows a provider, a client or another tool's format.
"""
