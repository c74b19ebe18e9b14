"""Results of suites in formats of other tools, as bytes. No files are written here."""
