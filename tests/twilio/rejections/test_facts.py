"""The catalogue holds every code and text that docs/twilio.md lists."""

import re
from pathlib import Path

from django.conf import settings

from registrations.twilio.rejections import lookup, match_text

FACTS = Path(settings.BASE_DIR) / "docs" / "twilio.md"
# Section -> heading depth is encoded in the number: "2" takes its subsections along.
SECTIONS = ("2", "4", "5", "6.1", "6.2", "6.3", "6.4", "8.1")
CODE = re.compile(r"(?<![\w/-])(?P<first>\d{5})(?:\s?[–-]\s?(?P<last>\d{5}))?(?![\w-])")


def rows() -> list[str]:
    wanted, found = False, []
    for line in FACTS.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"#{2,3} (\d+(?:\.\d+)?)\.? ", line):
            number = heading.group(1)
            wanted = number in SECTIONS or number.split(".")[0] in SECTIONS
        elif wanted and line.startswith("|"):
            found.append(line)
    return found


def test_every_code_of_the_tables_is_known() -> None:
    codes: set[int] = set()
    for row in rows():
        # ZIP codes of sample addresses stand in backquotes, Twilio's error codes never with a dash before.
        for match in CODE.finditer(re.sub(r"`[^`]*`", "", row)):
            first = int(match["first"])
            codes |= set(range(first, int(match["last"] or first) + 1))
    assert len(codes) > 180
    unknown = sorted(code for code in codes if lookup(code).key.startswith("unknown"))
    assert unknown == []


def test_every_text_of_the_tables_is_known() -> None:
    texts = [text for row in rows() for text in re.findall(r"`([^`]{15,})`", row)]
    reasons = [
        text
        for text in texts
        if re.match(r"\[address_sids\]|Email |Unknown email|Address not|The provided|Unable to", text)
    ]
    assert len(reasons) >= 14
    assert [text for text in reasons if match_text("", text) is None] == []
