"""What every answer tells the browser: load nothing from elsewhere, keep nothing, be framed by nobody."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    # Not "no-referrer": with it browsers send "Origin: null" with our own forms, and the gate could not tell them
    # from a stranger's.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}
_HTTPS_ONLY = "max-age=31536000"


def secure(headers: MutableHeaders, *, https: bool, keep_s: int = 0) -> None:
    """Set them; `keep_s` is how long the browser may keep the answer, 0 for anything about people."""
    for name, value in _HEADERS.items():
        headers[name] = value
    headers["cache-control"] = f"public, max-age={keep_s}" if keep_s else "no-store"
    if https:
        headers["strict-transport-security"] = _HTTPS_ONLY
