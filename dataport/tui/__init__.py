"""The Textual app: a front end on the daemon's API, never on the engine."""
