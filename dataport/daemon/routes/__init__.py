"""The API's routes, one module for each subject."""

from fastapi import APIRouter

from dataport.daemon.routes import (
    bulk,
    conflicts,
    data,
    history,
    inboxes,
    jobs,
    mappings,
    packages,
    policies,
    system,
)

ROUTERS: tuple[APIRouter, ...] = (
    system.router,
    jobs.router,
    data.router,
    bulk.router,
    history.router,
    conflicts.router,
    inboxes.router,
    packages.router,
    mappings.router,
    policies.router,
)
"""Every router of the application."""
