"""The background processes: job bodies, the sweep, the supervisor, the demo. Not imported by any page."""
