"""The catalogue as a Markdown page (docs/failures.md)."""

from .catalogue import MODULES
from .model import Failure

_HEADINGS = {
    "evaluation": "Evaluation of a bundle",
    "bundle": "Profile and trust bundle after submission",
    "brand": "Brand",
    "campaign": "Campaign: texts, flags and the brand behind it",
    "campaign_evidence": "Campaign: what the reviewers found on the pages",
    "campaign_content": "Campaign: content",
    "campaign_review": "Campaign: handling and states",
    "campaign_shared": "Campaign: codes shared with toll-free verification",
    "number": "Number and sending",
    "synchronous": "Refused at once",
    "http_codes": "Refused at once: codes of every Twilio product",
}
_INTRO = """# Failures that the desk knows

This page is generated from `registrations/failures` by `manage.py failure_table`; do not edit it by hand.

**Again?** says whether the same object may be sent again after the fix: *yes*, *no* (another object is needed),
*after fix elsewhere* (on the website, in the brand, at Twilio), *unknown*. **Redo** lists the acts in order; acts
on parts that were never submitted fall away, and a brand is updated only if it FAILED. **Fee** is what the fix may
cost: *campaign vetting maybe* because Twilio's sources disagree about edited campaigns. **Who** must act first.
A question mark after the code means that Twilio's own page was not found and the entry is drawn from its title or
from reports. A code that is not listed is shown with Twilio's own words.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _row(failure: Failure) -> str:
    name = f"[{failure.code}]({failure.url})" if failure.code else f"`{failure.key}`"
    if failure.code and failure.key != str(failure.code):
        name += f" `{failure.key}`"
    words = "; ".join(f"“{text}”" for text in failure.texts)
    cells = (
        name + ("" if failure.certain else " ?"),
        f"**{failure.title}.** {failure.explanation}" + (f" Twilio says: {words}." if words else ""),
        failure.advice,
        ", ".join(failure.fields) or "–",
        failure.resubmittable.replace("_", " "),
        " → ".join(scope.replace("_", " ") for scope in failure.redo),
        failure.fee.replace("_", " "),
        failure.who,
    )
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def render() -> str:
    """The whole page, ending in one newline."""
    lines = [_INTRO]
    for module in MODULES:
        lines.append(f"## {_HEADINGS[module.__name__.rpartition('.')[2]]}\n")
        lines.append("| Code or key | What it is | What to do | Fields | Again? | Redo | Fee | Who |")
        lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
        # Codes in order, entries without a code as the catalogue has them, after them.
        rows = sorted(module.FAILURES, key=lambda failure: failure.code or 10**9)
        lines += [_row(failure) for failure in rows]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
