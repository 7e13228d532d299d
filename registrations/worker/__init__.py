"""Running and watching the job cluster: `manage.py worker`, and the children of `manage.py demo`."""
