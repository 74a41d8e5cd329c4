"""Which addresses may be asked: forms, hosts, resolved addresses."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.addresses import check_url, is_public, never_allowed, public_addresses, wire_url
from crawlers.web import Refusal


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a",
        "gopher://example.org/",
        "javascript:alert(1)",
        "//example.org/a",
        "http://nutzer@example.org/",
        "http://nutzer:wort@example.org/",
        "http://@127.0.0.1/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f.0.0.1/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://[fe80::1%25eth0]/",
        "http://exa mple.org/",
        "http://example.org/\r\nX-Evil: 1",
        "http://example.org\\@127.0.0.1/",
        "http://example.org:99999/",
        "http://example.org:0/",
        "http:///pfad",
        "http://[::1/",
        "http://" + "a" * 3000 + ".de/",
        "http://ex%61mple.org/",
    ],
)
def test_odd_forms_are_refused(url):
    with pytest.raises(Refusal) as caught:
        check_url(url)
    assert caught.value.code == "address"


@pytest.mark.parametrize(
    "url", ["http://example.org", "https://müller.example/a?b=c", "http://127.0.0.1:8080/", "http://[::1]/"]
)
def test_plain_forms_pass(url):
    assert check_url(url).hostname


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "2002:7f00:0001::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1", "198.18.0.1", "192.0.2.1"],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(Refusal):
        public_addresses("name.example", 80, resolver=lambda host, port: [address], allow_private=False)


def test_one_private_answer_among_public_ones_is_enough_to_refuse():
    with pytest.raises(Refusal):
        public_addresses("n.example", 80, resolver=lambda h, p: ["93.184.216.34", "10.0.0.1"], allow_private=False)


def test_permission_for_private_hosts_never_covers_link_local():
    assert public_addresses("n.example", 80, resolver=lambda h, p: ["192.168.0.5"], allow_private=True) == [
        "192.168.0.5"
    ]
    for address in ("169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "fe80::1"):
        assert never_allowed(ipaddress.ip_address(address))
        with pytest.raises(Refusal):
            public_addresses("n.example", 80, resolver=lambda h, p, a=address: [a], allow_private=True)


def test_a_name_that_nobody_knows():
    def nobody(host: str, port: int) -> list[str]:
        raise OSError("unbekannt")

    with pytest.raises(Refusal) as caught:
        public_addresses("gibt-es-nicht.example", 80, resolver=nobody, allow_private=False)
    assert caught.value.code == "unreachable"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_wrapping_an_ipv4_address_never_makes_it_public(number):
    plain = ipaddress.IPv4Address(number)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | number)
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | number)
    assert is_public(mapped) == is_public(plain)
    assert is_public(nat64) == is_public(plain)


def test_wire_form():
    assert wire_url("HTTP://Müller.example:80/ä b?q=ü#x") == "http://xn--mller-kva.example/%C3%A4%20b?q=%C3%BC"
    assert wire_url("https://example.org:443") == "https://example.org/"
    assert wire_url("https://example.org:8443/%C3%A4") == "https://example.org:8443/%C3%A4"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=20))
def test_wire_form_is_stable(path, query):
    try:
        once = wire_url(f"http://example.org/{path}?{query}")
    except Refusal:
        return
    assert wire_url(once) == once
    assert once.isascii()
