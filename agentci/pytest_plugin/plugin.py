"""The hooks that pytest finds by the entry point."""
