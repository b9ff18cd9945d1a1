"""Lastro: data management for machine learning – ingestion, contracts, versions, quality and proof in one package."""

__version__ = "0.1.0"
