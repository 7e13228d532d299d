"""What every other package may use: the clock, the queue, spreadsheets, system checks, roles. No rules of Twilio."""
