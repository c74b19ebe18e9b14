"""Output formats: results in, text out. Nothing here knows a use case or decides anything."""
