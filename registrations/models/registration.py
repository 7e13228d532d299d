"""One customer's registration: who owns it, where it stands, when the worker processes it next."""

import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from .choices import REMOVAL_STAGES, Stage, WaitingFor
from .leases import Leased

# Without 0/o and 1/l, because people read these aloud.
REF_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_ref() -> str:
    """A random key of 12 characters (about 59 bits) that identifies this registration in Twilio's friendly names."""
    return "".join(secrets.choice(REF_ALPHABET) for _ in range(12))


class Registration(Leased):
    """One customer's registration.

    `revision` counts edits of the inputs; `submitted_revision` is the one that a person submitted. The worker writes
    to Twilio only while the two are equal, so a saved edit is never sent by accident.
    """

    # The attributes with the customer's inputs, each with the Twilio object created from them.
    PARTS = ("profile", "trust_bundle", "brand", "campaign", "phone_number")

    ref = models.CharField(max_length=12, unique=True, default=new_ref, editable=False)
    external_id = models.CharField(
        "your own ID",
        max_length=128,
        null=True,
        blank=True,
        unique=True,
        help_text="The customer's ID in your own system. Importing the same ID again updates this registration.",
    )
    label = models.CharField(max_length=160, help_text="Internal name (defaults to the brand name).")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="registrations",
    )
    notes = models.TextField(blank=True)
    # The Twilio account that it is registered under; today always the one in the settings.
    account_sid = models.CharField("account", max_length=34, blank=True, editable=False)
    # What searches match: names, email, phones, own ID (see workflow/recorder/search_text.py).
    search_text = models.TextField(blank=True, editable=False)

    revision = models.PositiveIntegerField(default=1, editable=False)
    submitted_revision = models.PositiveIntegerField(default=0, editable=False)
    submitted_at = models.DateTimeField(null=True, editable=False)
    submitted_by = models.CharField(max_length=150, blank=True, editable=False)
    # The bulk action that last submitted it; its fees count toward that batch.
    submitted_batch = models.ForeignKey(
        "registrations.Batch",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        db_index=False,
    )
    # Set while its objects are being removed from Twilio; the stage becomes "removed" at the end.
    removing = models.BooleanField(default=False, editable=False)
    # A supervisor's reason to exceed a registry limit that we counted (registry_limits.py).
    limit_override = models.CharField(max_length=300, blank=True, editable=False)
    # Pre-flight errors that a supervisor overrode: {"keys": ["rule@field", …], "reason": "…"}.
    preflight_override = models.JSONField(default=dict, blank=True, editable=False)
    hold = models.BooleanField(default=False, editable=False)
    hold_reason = models.CharField(max_length=300, blank=True, editable=False)

    # Derived by planner.decisions.summarize and stored, so that lists can filter and count without computing plans.
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.DRAFT, editable=False)
    stage_since = models.DateTimeField(auto_now_add=True)
    waiting_for = models.CharField(max_length=10, choices=WaitingFor, default=WaitingFor.US, editable=False)
    reason = models.TextField(blank=True, editable=False)

    # For the worker. State lives in the database; jobs only trigger processing.
    next_run_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    # Our reserved slot in a rate limit's queue (workflow/runner/rate_limit.py).
    slot_at = models.DateTimeField(null=True, editable=False)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("spend_registration", "Can confirm buying a phone number"),
            ("override_limits", "Can override a registry limit, with a reason"),
            ("remove_registration", "Can remove a registration from Twilio"),
            ("bulk_registration", "Can act on many registrations at once"),
        ]
        indexes = [
            models.Index(fields=["next_run_at"], name="registration_due"),
            models.Index(fields=["lease_until"], name="registration_lease"),
            models.Index(
                fields=["lease_token"], name="registration_leased", condition=~models.Q(lease_token="")
            ),
            models.Index(fields=["waiting_for", "stage", "stage_since"], name="registration_waiting"),
            models.Index(fields=["stage", "-id"], name="registration_stage"),
            models.Index(fields=["owner", "-id"], name="registration_owner"),
            models.Index(fields=["created_at"], name="registration_created"),
            models.Index(fields=["account_sid"], name="registration_account"),
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("admin:registrations_registration_detail", args=[self.pk])

    def friendly_name(self, part: str, generation: int = 1) -> str:
        """The name of an object at Twilio, by which it is found after a lost reply (at most 64 characters).

        >>> Registration(ref="abc").friendly_name("address", 2)
        'A2P abc address v2'
        """
        return f"A2P {self.ref} {part}" + (f" v{generation}" if generation > 1 else "")

    @classmethod
    def part_models(cls) -> dict[str, Any]:
        """{part: its model}, in the order of PARTS."""
        return {part: cls._meta.get_field(part).related_model for part in cls.PARTS}

    @property
    def is_submitted(self) -> bool:
        return self.submitted_revision == self.revision

    @property
    def was_submitted(self) -> bool:
        return self.submitted_revision > 0

    @property
    def is_removed(self) -> bool:
        """Removed, or being removed without a problem: what Twilio reports about it is no longer news."""
        return self.stage in REMOVAL_STAGES and self.waiting_for != WaitingFor.US
