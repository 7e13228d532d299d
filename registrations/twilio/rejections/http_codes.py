"""Twilio's general codes, the same for every product: throttling, outages, credentials, bad requests.

Source: Twilio facts, section 8.1. Which of them are repeated by the worker is decided by the gateway; here
stands only what a person is told.
"""

from .model import Failure, Resubmittable, Scope, Who


def _general(
    codes: tuple[int, ...],
    title: str,
    explanation: str,
    advice: str,
    *,
    resubmittable: Resubmittable,
    redo: tuple[Scope, ...],
    who: Who,
) -> tuple[Failure, ...]:
    return tuple(
        Failure(
            code=code,
            area="synchronous",
            title=title,
            explanation=explanation,
            advice=advice,
            resubmittable=resubmittable,
            redo=redo,
            who=who,
            source="Twilio facts, section 8.1",
        )
        for code in codes
    )


FAILURES = (
    *_general(
        (20429,),
        "Too many requests",
        "Twilio limits how many calls an account makes at once.",
        "Nothing to correct; the worker slows down and tries again.",
        resubmittable="yes",
        redo=("retry_later",),
        who="twilio",
    ),
    *_general(
        (20500, 20503, 20504),
        "Twilio has a fault",
        "The call could not be handled; it is not about the customer's data.",
        "Nothing to correct; the worker looks whether it was done, and otherwise tries again.",
        resubmittable="yes",
        redo=("retry_later",),
        who="twilio",
    ),
    *_general(
        (20409, 20412, 20162),
        "Something else is changing the same object",
        "Two changes met; Twilio kept only one.",
        "Nothing to correct; the worker reads the object again and repeats the call.",
        resubmittable="yes",
        redo=("retry_later",),
        who="twilio",
    ),
    *_general(
        (20003,),
        "Credentials refused",
        "Twilio does not accept the account SID and token, or the API key.",
        "Tell the operator to check the credentials in the settings (manage.py check_twilio).",
        resubmittable="after_fix_elsewhere",
        redo=("operator",),
        who="us",
    ),
    *_general(
        (20005,),
        "Account is not active",
        "The Twilio account is suspended or closed.",
        "Tell the operator to settle it in Twilio's Console.",
        resubmittable="after_fix_elsewhere",
        redo=("operator",),
        who="us",
    ),
    *_general(
        (20006, 20008, 20010, 20403),
        "Not allowed with these credentials",
        "The account or API key may not make this call; test credentials never may.",
        "Tell the operator to check the credentials and their rights (manage.py check_twilio).",
        resubmittable="after_fix_elsewhere",
        redo=("operator",),
        who="us",
    ),
    *_general(
        (20404,),
        "Not found at Twilio",
        "The object was deleted there, or belongs to another account.",
        "Refresh the case and submit again: what is gone is made anew.",
        resubmittable="yes",
        redo=("retry_later",),
        who="us",
    ),
    *_general(
        (20001, 20002, 20422, 20423),
        "A value was not accepted",
        "Twilio names the parameter in its message.",
        "Correct the named value and submit again; if it is no field of the form, tell the operator.",
        resubmittable="yes",
        redo=("operator",),
        who="us",
    ),
    *_general(
        (20004, 20007),
        "Call made in the wrong way",
        "The call's method, path or page size was wrong; the customer's data is not at fault.",
        "Tell the operator: this is a defect of this product.",
        resubmittable="after_fix_elsewhere",
        redo=("operator",),
        who="us",
    ),
)
