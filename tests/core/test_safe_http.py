"""What counts as a public address. How `get` and `post` use it: test_fetching.py and test_http_post.py."""

import pytest

from registrations.core.safe_http import RequestFailed, Target, is_public, parse


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "2001:0:1::1",
        "fec0::1", "::7f00:1", "2002:101:101::", "64:ff9b:1::101:101", "192.88.99.1", "168.63.129.16",
        "240.0.0.1", "3fff::1", "5f00::1", "2001:db8::1", "ff0e::1", "nonsense", "",
    ],
)  # fmt: skip
def test_addresses_that_are_never_called(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
)
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://annlee.example.com", Target("https", "annlee.example.com", 443, "/")),
        ("https://AnnLee.example.com.:443/a?b=c#d", Target("https", "annlee.example.com", 443, "/a?b=c")),
        ("https://bücher.example/prívacy", Target("https", "xn--bcher-kva.example", 443, "/pr%C3%ADvacy")),
        ("https://[2606:4700:4700::1111]/a%20b", Target("https", "2606:4700:4700::1111", 443, "/a%20b")),
    ],
)
def test_parse(url, target):
    assert parse(url) == target


def test_private_addresses_are_an_option():
    url = "http://127.0.0.1:8080/hook"
    assert parse(url, allow_private=True) == Target("http", "127.0.0.1", 8080, "/hook")
    with pytest.raises(RequestFailed) as failed:
        parse(url)
    assert failed.value.problem == "insecure"
