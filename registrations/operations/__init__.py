"""What people and Twilio ask for: actions, bulk work, imports, reconciliation, webhooks, notifications. No pages."""
