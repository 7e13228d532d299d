"""Decides what comes next, what is left to do and what it costs. Only reads; writes nothing, calls nobody."""
