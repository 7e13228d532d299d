"""What people and Twilio request: actions, bulk actions, imports, reconciliation, webhooks, notifications. No pages."""
