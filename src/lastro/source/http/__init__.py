"""JSON APIs over HTTP: who asks, what is asked, how pages follow each other, and what in them is believed."""

from __future__ import annotations

from lastro.model.errors import MissingExtra
from lastro.model.text import _

try:
    import httpx2 as _httpx2  # noqa: F401 – only whether it is there
except ImportError as error:
    raise MissingExtra(_("an HTTP source needs an optional library"), do=_("pip install 'lastro[http]'")) from error

from lastro.source.http.options import HttpOptions
from lastro.source.http.source import HttpSource, http_source

__all__ = ["HttpOptions", "HttpSource", "http_source"]
