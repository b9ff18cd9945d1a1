"""The package's own conformance suite, for test modules whose fixture `world` stands in the module."""

from lastro.model.version import Mode
from lastro.source.conformance import Conformance, World, count
from lastro.source.conformance import take as taken

__all__ = ["TestConformance", "World", "count", "take"]


class TestConformance(Conformance):
    """What every source must do."""


def take(source, cursor=None, mode=Mode.OVERWRITE):
    """Rows and watermark of one reading; `Unchanged` as it is."""
    return taken(source, cursor=cursor, mode=mode)
