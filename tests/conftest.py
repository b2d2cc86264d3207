"""What holds for every test: none asserts a time, however busy the machine is, and every step of
staging and merging is checked before it runs, in this process and in all that tests start."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ["DATAPORT_CHECK_STEPS"] = "1"

settings.register_profile("dataport", deadline=None)
settings.load_profile("dataport")
