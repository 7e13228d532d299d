"""The error that a call comes out with."""

from collections.abc import Callable

import pytest

from registrations.twilio.client.errors import GatewayError


def provoke(call: Callable[[], object]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        call()
    return caught.value
