"""The console's cookies: which, and with which guards.

Over https their names begin with `__Host-`: browsers then take them from this very host only, over https only, and
no neighbour on a subdomain can plant one.
"""

from __future__ import annotations

from fastapi import Request, Response

from compliance.console.templates import BASE


class Cookie:
    """One cookie of the console, HttpOnly and SameSite=Strict."""

    def __init__(self, name: str, *, https: bool, keep_s: int | None = None) -> None:
        """Without `keep_s` the browser drops it when it is closed."""
        self.name = f"__Host-{name}" if https else name
        self._https = https
        self._keep_s = keep_s

    def read(self, request: Request) -> str:
        """Its value, or an empty text."""
        return request.cookies.get(self.name, "")

    def write(self, response: Response, value: str) -> None:
        """Set it."""
        response.set_cookie(
            self.name,
            value,
            max_age=self._keep_s,
            path=self._path,
            secure=self._https,
            httponly=True,
            samesite="strict",
        )

    def drop(self, response: Response) -> None:
        """Make the browser forget it."""
        response.delete_cookie(self.name, path=self._path, secure=self._https, httponly=True, samesite="strict")

    @property
    def _path(self) -> str:
        # The prefix is only valid with the whole host for a path.
        return "/" if self._https else BASE
