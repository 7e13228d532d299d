"""Compares Twilio's account with our registrations, and fixes what differs.

`scan` reads every list of the account once and stores findings; `actions` does what a person chose for one of them.
Each has `request` (stores and enqueues), `run` for jobs, and `claim_lost` for the sweep. `schedule` requests a scan
every day. Objects without our naming are never listed and never changed.
"""

from . import actions, scan, schedule

__all__ = ["actions", "scan", "schedule"]
