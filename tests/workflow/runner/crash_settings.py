"""The test settings with deaths: for worker processes that tests start."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.workflow.runner.crashing.CrashConfig"]
