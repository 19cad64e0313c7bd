import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from tag_list import TagList

from hookwright.testing.stand_in import StandIn


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def tag_list(hookwright: StandIn) -> Iterator[TagList]:
    """The integration, running, subscribed to tag 123 of a Kajabi that is Hookwright."""
    kajabi = hookwright.kajabi
    tag_list = TagList(kajabi.base_url, kajabi.client_id, kajabi.client_secret, kajabi.site_id, tag_id="123")
    with make_server("127.0.0.1", 0, tag_list, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        tag_list.subscribe(f"http://127.0.0.1:{server.server_port}")
        yield tag_list
        server.shutdown()
        thread.join()


def test_who_gets_the_tag_is_on_the_list(hookwright: StandIn, tag_list: TagList) -> None:
    hookwright.publish("kajabi:tag_added", tag={"id": 123}, contact={"email": "ada@example.com"})
    hookwright.publish("kajabi:tag_added", tag={"id": 124}, contact={"email": "not-me@example.com"})
    assert tag_list.emails == ["ada@example.com"]


def test_nobody_is_on_it_twice_although_our_answer_was_lost(
    hookwright: StandIn, tag_list: TagList, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = tag_list._take

    def take_and_fail(body: dict[str, Any]) -> None:
        take(body)
        monkeypatch.undo()
        raise ConnectionError

    monkeypatch.setattr(tag_list, "_take", take_and_fail)
    hookwright.publish("kajabi:tag_added", tag={"id": 123}, contact={"email": "ada@example.com"})
    assert [delivery.status for delivery in hookwright.deliveries] == ["pending"]

    hookwright.travel(seconds=5)  # to the first retry

    assert [delivery.status for delivery in hookwright.deliveries] == ["delivered"]
    assert tag_list.emails == ["ada@example.com"]
