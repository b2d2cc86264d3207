"""Watched folders: when a file is complete, it is handed to the job queue."""
