"""Delivery: one event to one target.

Rules:

1. A webhook gets the CloudEvent by POST, under the same address checks, time-outs and retries as any source's request.
   Anything but a 2xx is no delivery.
2. apprise (extra `notify`) goes wherever its address says: no address check is possible there.
3. No error repeats an address or a key, which may be secrets.
"""

from __future__ import annotations

from lastro.alert.event import Event, cloud_event
from lastro.alert.sign import signed
from lastro.alert.target import Apprise, Target, Webhook
from lastro.model.errors import MissingExtra, SourceUnreachable
from lastro.model.text import _
from lastro.source.fetch import posting

TIMEOUT_S = 10.0
RETRIES = 2


def deliver(target: Target, event: Event, *, source: str) -> None:
    """Tells a target; `source` names the workspace. Raises `SourceError`, `ConfigurationError`, `MissingExtra`."""
    match target:
        case Webhook():
            _post(target, event, source)
        case Apprise():
            _notify(target, event)


def _post(target: Webhook, event: Event, source: str) -> None:
    body = cloud_event(event, source=source)
    headers = {"content-type": "application/cloudevents+json; charset=utf-8"}
    if target.key is not None:
        headers |= signed(body, message=event.id, moment=event.moment, key=target.key.reveal())
    posting.deliver(
        target.url,
        body,
        headers=headers,
        label=target.name,
        allowed=target.allowed,
        timeout_s=TIMEOUT_S,
        retries=RETRIES,
        do=_("check the webhook's address and its receiver"),
    )


def _notify(target: Apprise, event: Event) -> None:
    try:
        import apprise
    except ImportError as error:
        raise MissingExtra(
            _("alerts by apprise need an optional library"), do="pip install 'lastro[notify]'"
        ) from error
    sender = apprise.Apprise()
    if not sender.add(target.url.reveal()):
        raise SourceUnreachable(
            _("the address is none that apprise knows"), where=target.name, do=_("see the list of apprise's services")
        )
    kind = apprise.NotifyType.SUCCESS if event.resolved else apprise.NotifyType.WARNING
    if not sender.notify(title=event.title, body=event.text, notify_type=kind):
        raise SourceUnreachable(
            _("the service did not take the message"), where=target.name, do=_("check its address and the network")
        )
