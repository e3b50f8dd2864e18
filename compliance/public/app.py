"""The public pages as one router, to be included where the service's own routes are."""

from __future__ import annotations

from fastapi import APIRouter

from compliance.public.counter import Counter
from compliance.public.front import Front
from compliance.public.privacy import privacy_pages
from compliance.public.verify import verify_pages


def public(front: Front) -> APIRouter:
    """`/privacy` and `/verify`. They take their looks from the console's static files."""
    counter = Counter(front)
    routes = APIRouter()
    routes.include_router(privacy_pages(counter))
    routes.include_router(verify_pages(counter))
    return routes
