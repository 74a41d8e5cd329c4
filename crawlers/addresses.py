"""Which addresses may be asked at all: forms of URL that are refused, and hosts that are not public.

Below: `web`. Above: `fetch` asks `public_addresses` at the moment it connects, `polite` asks `check_url` for every hop.
Server-side request forgery (OWASP, "SSRF Prevention"): a crawled page must never make us talk to our own network.
"""

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from crawlers.web import Refusal, Resolver

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH = 2000
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NUMERIC_HOST = re.compile(r"^(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?$", re.IGNORECASE)
"""Anything the C library's inet_aton would read as an address, e.g. 2130706433, 0x7f.1, 0177.0.0.1."""
_REST = r"(?:\?[^\x00-\x20\x7f#]+)?(?:#[^\x00-\x20\x7f]+)?"
_SEGMENTS = r"(?:/[^\x00-\x20\x7f/?#;.][^\x00-\x20\x7f/?#;]*)"
PLAIN_PATH = re.compile(rf"(?:/|{_SEGMENTS}+/?){_REST}")
"""An absolute path without dot segments, empty segments or parameters: nothing in it is to be resolved."""
PLAIN_URL = re.compile(rf"https?://[a-z0-9.-]+(?::[0-9]+)?{_SEGMENTS}*/?{_REST}")
PLAIN_IPV4 = re.compile(r"^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}$")


def system_resolver(host: str, port: int) -> list[str]:
    """Addresses of a host by the operating system, IPv4 first, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in sorted(found, key=lambda entry: entry[0] != socket.AF_INET)]
    return list(dict.fromkeys(addresses))


def check_url(url: str) -> SplitResult:
    """Refuse every form of address that is not a plain http or https URL.

    Returns:
        The parts of the URL; `hostname` is in lower case.

    Raises:
        Refusal: Other scheme, user data, no or a disguised numeric host, control characters, too long, bad port.
    """
    if len(url) > MAX_URL_LENGTH:
        raise Refusal("address", f"Die Adresse ist länger als {MAX_URL_LENGTH} Zeichen.")
    if any(ord(char) <= 32 or ord(char) == 127 for char in url) or "\\" in url:
        raise Refusal("address", "Die Adresse enthält Leer-, Steuer- oder Rückstrichzeichen.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refusal("address", "Die Adresse ist nicht lesbar.") from None
    if parts.scheme not in ("http", "https"):
        raise Refusal("address", f"Nur http und https werden gelesen, nicht „{parts.scheme or 'ohne Schema'}“.")
    if parts.username is not None or parts.password is not None:
        raise Refusal("address", "Die Adresse enthält Zugangsdaten.")
    if not parts.hostname or port == 0:
        raise Refusal("address", "Die Adresse nennt keinen gültigen Rechner.")
    _check_host(parts.hostname)
    return parts


def _check_host(host: str) -> None:
    if NUMERIC_HOST.match(host) and not PLAIN_IPV4.match(host):
        raise Refusal("address", "Der Rechner ist als verkleidete Zahl angegeben.")
    if "%" in host:
        raise Refusal("address", "Der Rechnername enthält verschlüsselte Zeichen oder eine Zone.")
    if ":" not in host:
        try:
            ascii_host(host)
        except UnicodeError:
            raise Refusal("address", "Der Rechnername ist ungültig.") from None


def ascii_host(host: str) -> str:
    """The host name as it goes over the wire (IDNA), in lower case.

    Raises:
        UnicodeError: Where the name is not a valid host name.
    """
    if host.isascii():
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", host):
            raise UnicodeError(host)
        return host.lower()
    return host.encode("idna").decode("ascii").lower()


def wire_url(url: str) -> str:
    """The address as it goes over the wire: IDNA host, percent-encoded path, no fragment.

    Raises:
        Refusal: Where the address is not a URL at all.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        if parts.username is not None or ":" in host or not host:
            return urlunsplit(parts._replace(fragment=""))
        netloc = ascii_host(host) + (f":{port}" if port and port != _default_port(parts.scheme) else "")
    except (ValueError, UnicodeError):
        raise Refusal("address", "Die Adresse ist nicht lesbar.") from None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return urlunsplit((parts.scheme.lower(), netloc, path, query, ""))


def joined(base: str, href: str) -> str:
    """An address relative to a page's (`urllib.parse.urljoin`), at once where it is a plain path or a full address.

    Raises:
        ValueError: Where one of them is no address.
    """
    if PLAIN_PATH.fullmatch(href):
        origin = _origin(base)
        if origin:
            return origin + href
    elif PLAIN_URL.fullmatch(href) and _origin(base):
        return href
    return urljoin(base, href)


@lru_cache(maxsize=64)
def _origin(base: str) -> str:
    """Scheme and host of an http address as `urljoin` puts them before a path; empty for others."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""


def _default_port(scheme: str) -> int:
    return 443 if scheme.lower() == "https" else 80


def embedded_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, Teredo, NAT64), if any."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the open internet, also when it wraps another."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = embedded_ipv4(address)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def never_allowed(address: IpAddress) -> bool:
    """Addresses that stay closed even with `allow_private_hosts`: link-local (cloud metadata), multicast, nowhere."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = embedded_ipv4(address)
        if inner is not None:
            return never_allowed(inner)
    return address.is_link_local or address.is_multicast or address.is_unspecified


def public_addresses(host: str, port: int, *, resolver: Resolver, allow_private: bool) -> list[str]:
    """Resolve a host and refuse it unless *every* one of its addresses may be asked.

    Args:
        host: Host name or textual address.
        port: Port to connect to.
        resolver: Name resolution; the caller must connect to what is returned here and resolve no second time.
        allow_private: Whether the source allows this host to be one of the local network.

    Returns:
        The addresses in the resolver's order, at least one.

    Raises:
        Refusal: Not resolvable, or an address that is not public.
    """
    try:
        found = resolver(host, port)
        addresses = [ipaddress.ip_address(text.split("%", 1)[0]) for text in found]
    except (OSError, ValueError, UnicodeError):
        raise Refusal("unreachable", f"Der Rechnername {host} lässt sich nicht auflösen.") from None
    if not addresses:
        raise Refusal("unreachable", f"Der Rechnername {host} lässt sich nicht auflösen.")
    for address in addresses:
        if never_allowed(address) or not (allow_private or is_public(address)):
            raise Refusal(
                "address",
                f"{host} führt zu {address}, keiner öffentlichen Adresse. Ist das gewollt, "
                "setzen Sie in der Quelle allow_private_hosts: true.",
            )
    return [str(address) for address in addresses]
