"""From a registration that stops to a mailbox and a webhook: a real worker, SMTP and HTTP."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from registrations.models import Notification, NotificationSettings, Registration
from tests.intake.form.rows import VALID
from tests.operations.imports.files import csv_bytes
from tests.operations.notifications.conftest import Hook
from tests.operations.notifications.mail_server import MailServer
from tests.worker.conftest import ALIAS, wait_until, worker_database
from tests.workflow.plant import Plant, rows

pytestmark = pytest.mark.slow

__all__ = ["worker_database"]
DESK = "http://127.0.0.1:9"  # where nobody listens: the sandbox's callbacks lead nowhere
ANN = "ann@desk.example"


@pytest.fixture
def plant(worker_database, tmp_path: Path):
    plant = Plant(tmp_path, worker_database, scale=0.01)
    yield plant
    plant.stop()


@pytest.fixture
def mail():
    found = MailServer()
    yield found
    found.stop()


@pytest.fixture
def slack():
    found = Hook()
    yield found
    found.stop()


@pytest.fixture
def ann(plant, slack):
    """Hears by email and webhook."""
    found = get_user_model().objects.db_manager(ALIAS).create_user("ann", email=ANN, is_staff=True)
    NotificationSettings.objects.using(ALIAS).create(user=found, by_email=True, slack_webhook_url=slack.url)
    return found


def stopping(plant: Plant, number: int, ann) -> tuple[Registration, dict[str, str]]:
    """A registration of Ann's, not submitted, whose address Twilio will refuse; and its customer."""
    senders = plant.post("numbers", count=number + 1)["phone_numbers"]
    row = rows(number + 1, senders)[number] | {"city": "Nowhere", "brand_name": f"Harbor Crafts {number}"}
    file = plant.folder / f"{number}.csv"
    file.write_bytes(csv_bytes(row))
    plant.manage("import_registrations", str(file))
    registration = Registration.objects.using(ALIAS).get(external_id=row["external_id"])
    Registration.objects.using(ALIAS).filter(pk=registration.pk).update(owner=ann)
    plant.manage("import_registrations", str(file), "--submit")
    return registration, VALID | row


def note(registration: Registration) -> Notification:
    return Notification.objects.using(ALIAS).get(registration_id=registration.pk)


def told(registration: Registration) -> str:
    """The one line that names the registration."""
    return f"{registration.label} stopped: "


def test_each_channel_once_and_the_one_that_failed_again(plant, ann, mail, slack):
    slack.answers = [(500, {})]
    registration, customer = stopping(plant, 0, ann)
    worker = plant.worker(
        2, EMAIL_URL=mail.url, A2P_NOTIFY_PRIVATE_ADDRESSES="true", PUBLIC_BASE_URL=DESK, LOG_LEVEL="INFO"
    )
    wait_until(
        lambda: Notification.objects.using(ALIAS).filter(attempts=1).exists(),
        60,
        "the registration stops and is told",
    )
    first = note(registration)
    assert (first.kind, first.sent_channels, first.error, first.sent_at) == (
        "failure",
        ["email"],
        "Webhook: HTTP 500",
        None,
    )
    assert first.send_at is not None
    assert first.send_at > timezone.now()

    Notification.objects.using(ALIAS).filter(pk=first.pk).update(
        send_at=timezone.now() - timedelta(seconds=1)
    )
    wait_until(lambda: note(registration).sent_at, 30, "both have heard")
    (letter,) = mail.got
    assert letter.to == [ANN]
    subject, text = letter.message["Subject"], letter.message.get_content()
    assert subject == f"A2P: {first.text}"
    link = f"{DESK}/admin/registrations/registration/{registration.pk}/detail/"
    assert text.splitlines() == [first.text, link]
    assert first.text.startswith(told(registration))
    failed, again = slack.got
    assert failed == again == ("/hook?secret=1", {"text": f"{first.text}\n{link}"})
    said = subject + text + str(slack.got)
    for name in ("first_name", "last_name", "email", "street", "city", "postal_code"):
        assert customer[name] not in said, name
    for name in ("phone_number", "mobile_phone_number", "sender_number"):
        assert customer[name][-7:] not in said, name

    # The next news comes alone, many sweeps later.
    other, _ = stopping(plant, 1, ann)
    wait_until(
        lambda: Notification.objects.using(ALIAS).filter(registration_id=other.pk).exists(), 60, plant.output
    )
    wait_until(lambda: note(other).sent_at, 30, "both have heard")
    assert [letter.message.get_content().startswith(told(other)) for letter in mail.got] == [False, True]
    assert [body["text"].startswith(told(other)) for _, body in slack.got] == [False, False, True]

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    log = (plant.folder / "output").read_text()
    for secret in (ANN, "secret=1", customer["email"], customer["street"]):
        assert secret not in log
