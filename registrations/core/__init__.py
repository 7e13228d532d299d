"""Shared by every other package: clock, queue, spreadsheets, system checks, roles. No Twilio rules."""
