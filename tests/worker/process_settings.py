"""The product's settings with a fake runner, for worker processes that tests start."""

from a2p_admin.settings import *  # noqa: F403
from a2p_admin.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.worker.fake_pipeline.FakePipelineConfig"]
