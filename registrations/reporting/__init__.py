"""Numbers over many registrations: dashboard, statistics, health, JSON export. Writes only its own cache."""
