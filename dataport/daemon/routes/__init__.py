"""The API's routes, one module for each subject."""

from fastapi import APIRouter

from dataport.daemon.routes import data, history, inboxes, jobs, system

ROUTERS: tuple[APIRouter, ...] = (
    system.router,
    jobs.router,
    data.router,
    history.router,
    inboxes.router,
)
"""Every router of the application."""
