"""The scorers that ship with agentci, one file each. None knows another."""
