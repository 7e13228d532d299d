"""The error that a call raises."""

from collections.abc import Callable

import pytest

from registrations.twilio.client.errors import TwilioError


def provoke(call: Callable[[], object]) -> TwilioError:
    with pytest.raises(TwilioError) as caught:
        call()
    return caught.value
