"""Orphans and lost records: comparing Twilio's account with our registrations, and putting right what differs.

`scan` reads every list of the account once and stores findings; `acts` does what a person chose for one of
them. Both have an `ask` (stores, rings) for pages, a `run` for jobs, and a `claim_forgotten` for the sweep.
`regular` asks for a scan every day.
Objects that do not carry our naming are never listed and never touched.
"""

from . import actions, scan, schedule

__all__ = ["actions", "scan", "schedule"]
