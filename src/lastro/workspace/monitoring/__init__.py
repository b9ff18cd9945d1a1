"""Monitoring: drift and performance, looked at again and again; incidents and those who hear of them."""
