"""The product's settings, plus a probe that notes when the workers take a registration up."""

from a2p_admin.settings import *  # noqa: F403
from a2p_admin.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.bench.probe.ProbeConfig"]
