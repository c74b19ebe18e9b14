"""Everything that is kept: cassettes, object store, action cache, journal, and their matching.

Works on the `Files` and `ByteStore` ports only. Knows nothing of providers, tools or steps: an
interaction is a request and a response, both JSON, under a key and in a lane.
"""
