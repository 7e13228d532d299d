"""What the pages of one registration share: loading it, its URLs, permissions, and what every form posts."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import reverse

from registrations.models import Registration

VIEW = "registrations.view_registration"
ADD = "registrations.add_registration"
CHANGE = "registrations.change_registration"
SPEND = "registrations.spend_registration"
OVERRIDE = "registrations.override_limits"
REMOVE = "registrations.remove_registration"
BULK = "registrations.bulk_registration"


def load(pk: Any) -> Registration:
    """The registration with everything its pages need, in one query; raises Registration.DoesNotExist."""
    return Registration.objects.select_related("owner", *Registration.PARTS).get(pk=pk)


def find(pk: Any) -> Registration:
    """Like `load`; raises Http404."""
    try:
        return load(pk)
    except (Registration.DoesNotExist, ValueError) as error:
        raise Http404("There is no such registration.") from error


def lock(pk: int) -> Registration:
    """The registration as it is now, locked until the transaction ends. Call it inside one."""
    Registration.objects.select_for_update().get(pk=pk)
    return load(pk)


def url(name: str, registration: Registration, *extra: Any) -> str:
    """A page of the registration: the admin route registrations_registration_<name>."""
    return reverse(f"admin:registrations_registration_{name}", args=[registration.pk, *extra])


def require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def permissions(request: HttpRequest) -> dict[str, bool]:
    """What the user may do, for templates."""
    user = request.user
    return {
        "change": user.has_perm(CHANGE),
        "spend": user.has_perm(SPEND),
        "override": user.has_perm(OVERRIDE),
        "remove": user.has_perm(REMOVE),
        "bulk": user.has_perms([BULK, CHANGE]),
    }


def shown_fee(request: HttpRequest) -> Decimal:
    """The price shown beside the button that was pressed, in US dollars; 0 when it is missing or not a number."""
    try:
        fee = Decimal(request.POST.get("fee", "0"))
    except InvalidOperation:
        return Decimal(0)
    return fee if fee.is_finite() else Decimal(0)


def override_reason(request: HttpRequest) -> str:
    """A supervisor's reason to go past a limit; "" from anyone else."""
    reason = request.POST.get("limit_reason", "").strip()[:300]
    return reason if request.user.has_perm(OVERRIDE) else ""
