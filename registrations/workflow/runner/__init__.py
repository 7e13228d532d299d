"""Runs the next step: lease, call, record, retry, schedule. The only package that calls Twilio for a step."""
