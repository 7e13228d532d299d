"""Twilio's callbacks and events: received and verified, parsed, and handled by a job."""
