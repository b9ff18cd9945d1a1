"""Which addresses a request may go to.

A URL in a configuration, a redirect or a `next` link could point into the network Lastro runs in: to a cloud's
metadata, to a router, to this machine.

1. A host is resolved once; every one of its addresses must be a public one, and the connection goes to one of those
   that were checked: a second answer of the name server changes nothing.
2. Public is what `ipaddress` calls global and is no multicast. Addresses that carry another one inside (IPv4 in IPv6,
   6to4) are judged by that one; those that a gateway would translate (NAT64) are refused.
3. A host that the options allow, as `host` or `host:port`, may be anywhere.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from lastro.model.errors import SourceUnreachable
from lastro.model.text import _

Resolve = Callable[[str, int], Sequence[str]]

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, by the system's resolver. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted(host: str, port: int, allowed: Collection[str], resolver: Resolve) -> tuple[str, ...]:
    """The addresses to connect to. Raises `SourceUnreachable` if there is none, or one that is not public."""
    try:
        addresses = tuple(resolver(host, port))
    except (OSError, UnicodeError) as error:
        raise SourceUnreachable(
            _("the host {host} has no address").format(host=host), do=_("check its name and the network")
        ) from error
    free = host.lower() in allowed or f"{host.lower()}:{port}" in allowed
    if not free and not all(is_public(address) for address in addresses):
        raise SourceUnreachable(
            _("the host {host} is not a public one").format(host=host),
            do=_(
                "if it is meant, add allow_hosts: [{host}:{port}] to the source in lastro.yaml; where there is none "
                "yet, lastro add takes it as --option 'allow_hosts=[\"{host}:{port}\"]'"
            ).format(host=host, port=port),
        )
    return addresses


def is_public(address: str) -> bool:
    """True for an address on the open Internet (rule 2)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return _is_open(found)
    inner = found.ipv4_mapped or found.sixtofour
    if inner is not None:
        return _is_open(inner)
    return _is_open(found) and not any(found in network for network in _NAT64)


def _is_open(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast
