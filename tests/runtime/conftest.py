"""Settings of the property tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tintype", deadline=None)  # the machine may be busy with other things
settings.load_profile("tintype")
