"""Hosts the engine: lifecycle, API over the Unix socket, job queue, inbox watching."""
