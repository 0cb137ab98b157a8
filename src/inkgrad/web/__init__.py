"""The page and the HTTP API: what comes in is checked, what is known is sent; arithmetic is for the rooms below."""

from inkgrad.web.settings import Limits, WebSettings

__all__ = ["Limits", "WebSettings"]
