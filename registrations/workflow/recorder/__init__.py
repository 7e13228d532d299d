"""The only writer of Twilio's answers, and of everything derived from them. Makes no calls to Twilio."""
