"""Numbers and summaries over many registrations: dashboard, statistics, health, export. Writes nothing but its cache."""
