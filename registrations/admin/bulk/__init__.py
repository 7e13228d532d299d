"""Pages for acting on many registrations: bulk actions, similar failures, imports."""
