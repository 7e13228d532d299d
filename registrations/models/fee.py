"""What Twilio charges, by date."""

from django.db import models

from .choices import FeeKind


class Fee(models.Model):
    """The price of one kind of fee from a given day; without a row, the setting A2P_FEE_… applies."""

    kind = models.CharField(max_length=24, choices=FeeKind)
    valid_from = models.DateField(help_text="First day of this price, in the server's time zone.")
    amount = models.DecimalField("US dollars", max_digits=8, decimal_places=4)
    source = models.CharField(max_length=300, blank=True, help_text="Where this price is published.")

    class Meta:
        verbose_name = "price"
        ordering = ["kind", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "valid_from"], name="fee_one_a_day"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="fee_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.valid_from}: ${self.amount}"
