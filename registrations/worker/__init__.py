"""The background process: job bodies, the sweep, the supervisor, the demo. Imported by no page."""
