"""The tools that ship with agentci, one per file. They know nothing of each other."""
