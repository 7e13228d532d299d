"""Renders the catalogue as a Markdown page (docs/failures.md)."""

from .entry import Failure
from .lookup import CATALOGUE

_INTRO = """# Known rejections

Generated from `registrations/twilio/rejections/catalogue` by `manage.py failure_table`. Do not edit it by hand.

**Again?** says whether the same object can be sent again after the fix: *yes*, *no* (another object is needed),
*after fix elsewhere* (on the website, in the brand, at Twilio), *unknown*. **Redo** lists the steps in order. Steps
for parts that were never submitted are skipped, and a brand is updated only if it FAILED. **Fee** is what the fix
may cost: *campaign vetting maybe* because Twilio's sources disagree about edited campaigns. **Who** must act first.
A question mark after the code means that Twilio's own page was not found and the entry is based on its title or on
reports. A code that is not listed is shown with Twilio's own words.
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
    """The whole page as Markdown: a section for each file, a row for each entry, one newline at the end."""
    lines = [_INTRO]
    for section in CATALOGUE.sections:
        lines.append(f"## {section.heading}\n")
        lines.append("| Code or key | What it is | What to do | Fields | Again? | Redo | Fee | Who |")
        lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
        # Codes in order, then entries without a code in the order of the file.
        rows = sorted(section.failures, key=lambda failure: failure.code or 10**9)
        lines += [_row(failure) for failure in rows]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
