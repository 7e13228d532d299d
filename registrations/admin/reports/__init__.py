"""Pages over all registrations: home, spending, health, reconciliation, notifications, users."""
