"""Schema packs: what the resources of a provider look like, for checks without the provider.

`format` reads and writes the files, `bindings` and `provider_schema` make packs from what others
publish, `sources` says which ones are pinned. Everything here is a pure function of bytes.
"""
