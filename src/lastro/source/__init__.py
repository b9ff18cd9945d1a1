"""Where data comes from: files, databases, APIs, logs. The only home of the HTTP client and the database drivers."""

from lastro.source.factory import create
from lastro.source.location import guess, options_for

__all__ = ["create", "guess", "options_for"]
