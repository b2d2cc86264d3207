"""Changing many records at once: checked as a whole, then done as one commit, or not at all."""
