"""Decides what comes next, what is left to do, and what it costs. Only reads; makes no calls to Twilio."""
