"""What holds for every test: how fast an example runs is no result (it is measured by `make bench`)."""

from hypothesis import HealthCheck, settings

settings.register_profile("lastro", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lastro")
