"""The main job, shown on a terminal: `make demo`."""
