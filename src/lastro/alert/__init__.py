"""Alerts: who is told when a dataset fails, is late or had rows set aside; and when all is well again."""
