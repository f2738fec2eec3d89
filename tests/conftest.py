"""What holds for every test: generated examples are the same in each run, and none is late.

`SCRUTINEER_EXPLORE=1` has them drawn anew, to look for what nobody has thought of.
"""

import os

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize="SCRUTINEER_EXPLORE" not in os.environ)
settings.load_profile("steady")
