"""Any other database, through an ADBC driver or a SQLAlchemy dialect."""
