"""What a supervisor sees and presses: the registration's page, the edit form, the plan before Submit."""

import html
import re
from typing import Any

from registrations.intake.form import data_of
from registrations.twilio.rejections import Failure
from registrations.workflow.steps.brand import needs_console_deletion
from tests.admin.conftest import page_url
from tests.scenarios.scenes import Play

AGAIN = {
    "yes": "Can be resubmitted",
    "no": "Cannot be resubmitted as is",
    "after_fix_elsewhere": "Fix elsewhere first, then resubmit",
    "unknown": "Unknown whether it can be resubmitted",
}


def text_of(source: str) -> str:
    """A page's text: without tags, entities decoded, single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", source)).split())


def source_of(play: Play, page: str = "detail") -> str:
    answer = play.client.get(page_url(play.registration, page))
    assert answer.status_code == 200
    return answer.content.decode()


def card(source: str, name: str) -> str:
    """The text of one card of the registration's page; "" if it is not there."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}-title".*?</section>', source, re.DOTALL)
    return text_of(found.group()) if found else ""


def assert_shown(play: Play, failure: Failure, words: str) -> None:
    """The registration's page shows the entry: title, Twilio's words, advice, explanation, chips."""
    shown = card(source_of(play), "problems")
    # If only a person can delete the brand, the page says so, whatever else could be resubmitted.
    again = (
        "Cannot be resubmitted" if needs_console_deletion(play.registration) else AGAIN[failure.resubmittable]
    )
    expected = [failure.title, failure.advice, failure.explanation, again, words]
    expected += [str(failure.code)] if failure.code else []
    expected += {"customer": ["Ask the customer"], "twilio": ["Waiting on Twilio"]}.get(failure.who, [])
    expected += [] if failure.certain else ["Matched by title only"]
    for text in expected:
        assert " ".join(text.split()) in shown, (text, shown)
    assert ("$" in shown or "All fees again" in shown) == (failure.fee != "none"), shown


def assert_shown_in_form(play: Play, failure: Failure) -> None:
    """The form shows it at its first input, with pointers from the others; without an input, at the top."""
    source = source_of(play, "change")
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


def edit_and_submit(play: Play, changes: dict[str, Any]) -> None:
    """Type into the form, press "Save and submit", and confirm the plan if it is shown first."""
    play.traveler.shift(60)  # people take their time
    data = data_of(play.registration) | changes | {"fee": "0", "_submit": "1"}
    answer = play.client.post(page_url(play.registration, "change"), data)
    assert answer.status_code == 302, text_of(answer.content.decode())[:3000]
    if "confirm" in answer.headers["Location"]:
        assert submit(play)


def edit(play: Play, changes: dict[str, Any]) -> None:
    """Type into the form and press "Save"."""
    play.traveler.shift(60)
    answer = play.client.post(
        page_url(play.registration, "change"), data_of(play.registration) | changes | {"_save": "1"}
    )
    assert answer.status_code == 302, text_of(answer.content.decode())[:3000]


def submit(play: Play) -> bool:
    """Press Submit on the plan page. Returns whether it was accepted."""
    source = source_of(play, "confirm/submit")
    values = dict(re.findall(r'<input type="hidden" name="(revision|fee)" value="([^"]*)"', source))
    return press(play, "submit", **values)


def press(play: Play, name: str, **values: str) -> bool:
    """Press a button on the registration's page. False if it was refused and the plan was shown again."""
    play.traveler.shift(60)
    answer = play.client.post(page_url(play.registration, f"action/{name}"), values)
    assert answer.status_code == 302
    return "confirm" not in answer.headers["Location"]
