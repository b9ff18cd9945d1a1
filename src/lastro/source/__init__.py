"""Where data comes from: files, databases, APIs, logs. The only home of the HTTP client and the database drivers."""

from lastro.source.factory import create
from lastro.source.location import guess

__all__ = ["create", "guess"]
