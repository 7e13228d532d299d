"""Read-only lists of what happened: Twilio resources, API calls, timeline events, webhooks, prices."""
