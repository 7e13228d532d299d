"""What every other package may use: the clock, the queue, spreadsheets, system checks, roles, a safe HTTP client.

No rules of Twilio.
"""
