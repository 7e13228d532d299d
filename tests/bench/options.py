"""What can be chosen on the command line, and what is chosen when nothing is said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """scale: A2P_TIME_SCALE of the timed measurements; latency_ms: of each sandbox reply in them.

    customers: submitted at once in `throughput`; samples: settle waits seen before `lateness`
    ends; deliveries: of each kind in `webhooks`; rows: how many registrations `lists` reads over, from few to many.
    """

    scale: float = 0.1
    latency_ms: int = 150
    workers: int = 4
    customers: int = 20
    samples: int = 100
    deliveries: int = 500
    rows: str = "1000,100000"
