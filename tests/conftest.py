"""What holds for every test: none asserts a time, however busy the machine is."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("dataport", deadline=None)
settings.load_profile("dataport")
