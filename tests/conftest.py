"""What holds for every test: how fast an example runs is no result (it is measured by `make bench`), and each run tries
the same examples; with `LASTRO_EXAMPLES=new`, as in `make soak`, others.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("lastro", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("new", settings.get_profile("lastro"), derandomize=False)
settings.load_profile("new" if os.environ.get("LASTRO_EXAMPLES") == "new" else "lastro")
