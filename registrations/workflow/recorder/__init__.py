"""The one writer of what Twilio says, and of everything derived from it. Calls nobody."""
