"""The examples in the docstrings hold."""

import doctest

import pytest

from registrations.intake.form import places, text


@pytest.mark.parametrize("module", [text, places])
def test_docstring_examples(module):
    failed, attempted = doctest.testmod(module)
    assert attempted > 0
    assert failed == 0
