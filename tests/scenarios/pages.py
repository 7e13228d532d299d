"""What a supervisor sees and presses: the detail page, the edit form, the plan before Submit."""

import html
import re
from typing import Any

from registrations.intake.form import data_of
from registrations.twilio.rejections import Failure
from registrations.workflow.steps.brand import needs_console_deletion
from tests.admin.conftest import page_url
from tests.scenarios.start_states import Session

AGAIN = {
    "yes": "Can be resubmitted",
    "no": "Cannot be resubmitted as is",
    "after_fix_elsewhere": "Fix elsewhere first, then resubmit",
    "unknown": "Unknown whether it can be resubmitted",
}


def text_of(source: str) -> str:
    """The text of a page: no tags, entities decoded, single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", source)).split())


def source_of(session: Session, page: str = "detail") -> str:
    answer = session.client.get(page_url(session.registration, page))
    assert answer.status_code == 200
    return answer.content.decode()


def card(source: str, name: str) -> str:
    """The text of one card of the detail page, "" when it is missing."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}-title".*?</section>', source, re.DOTALL)
    return text_of(found.group()) if found else ""


def assert_told(session: Session, failure: Failure, words: str) -> None:
    """The detail page shows the entry: title, Twilio's text, advice, explanation, chips."""
    shown = card(source_of(session), "problems")
    # When only a person can delete the brand, the page says so, whatever else could be resubmitted.
    again = (
        "Cannot be resubmitted"
        if needs_console_deletion(session.registration)
        else AGAIN[failure.resubmittable]
    )
    expected = [failure.title, failure.advice, failure.explanation, again, words]
    expected += [str(failure.code)] if failure.code else []
    expected += {"customer": ["Ask the customer"], "twilio": ["Waiting on Twilio"]}.get(failure.who, [])
    expected += [] if failure.certain else ["Matched by title only"]
    for text in expected:
        assert " ".join(text.split()) in shown, (text, shown)
    assert ("$" in shown or "All fees again" in shown) == (failure.fee != "none"), shown


def assert_told_in_form(session: Session, failure: Failure) -> None:
    """The form shows it at its first input and refers to it from the others; without an input, at the top."""
    source = source_of(session, "change")
    inputs = failure.form_fields
    if not inputs:
        top = re.search(r'<div class="note note-attention">.*?</div>', source, re.DOTALL)
        assert top
        assert failure.title in text_of(top.group())
        assert failure.advice in text_of(top.group())
        return
    for kind, name in [("problems", inputs[0]), *(("also", name) for name in inputs[1:])]:
        found = re.search(rf'<ul[^>]*id="{kind}-{name}">.*?</ul>', source, re.DOTALL)
        assert found, (kind, name)
        assert failure.title in text_of(found.group())


def edit_and_submit(session: Session, changes: dict[str, Any]) -> None:
    """Type into the form, press "Save and submit", and agree to the plan if it is shown first."""
    session.time.shift(60)  # people take their time
    data = data_of(session.registration) | changes | {"fee": "0", "_submit": "1"}
    answer = session.client.post(page_url(session.registration, "change"), data)
    assert answer.status_code == 302, text_of(answer.content.decode())[:3000]
    if "confirm" in answer.headers["Location"]:
        assert submit(session)


def edit(session: Session, changes: dict[str, Any]) -> None:
    """Type into the form and press "Save"."""
    session.time.shift(60)
    answer = session.client.post(
        page_url(session.registration, "change"), data_of(session.registration) | changes | {"_save": "1"}
    )
    assert answer.status_code == 302, text_of(answer.content.decode())[:3000]


def submit(session: Session) -> bool:
    """Press Submit on the plan page; True when it was accepted."""
    source = source_of(session, "confirm/submit")
    values = dict(re.findall(r'<input type="hidden" name="(revision|fee)" value="([^"]*)"', source))
    return press(session, "submit", **values)


def press(session: Session, name: str, **values: str) -> bool:
    """Press a button of the detail page; False when it was refused and the plan was shown again."""
    session.time.shift(60)
    answer = session.client.post(page_url(session.registration, f"action/{name}"), values)
    assert answer.status_code == 302
    return "confirm" not in answer.headers["Location"]
