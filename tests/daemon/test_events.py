from __future__ import annotations

import asyncio
import threading

from dataport.daemon.events import EventBroker, Subscription


async def take(subscription: Subscription, count: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(10):
        async for event in subscription:
            found.append((event.kind, event.data))
            if len(found) == count:
                break
    return found


async def drain(subscription: Subscription) -> list[str]:
    async with asyncio.timeout(10):
        return [event.kind async for event in subscription]


async def test_ids_increase_also_across_restarts() -> None:
    """JOB-07"""
    first = EventBroker()
    ids = [first.publish("job", {}) for _ in range(3)]
    assert ids == sorted(set(ids))
    assert EventBroker().publish("job", {}) > ids[-1]


async def test_events_from_any_thread_arrive_in_order() -> None:
    broker = EventBroker()
    subscription = broker.subscribe()
    thread = threading.Thread(target=lambda: [broker.publish("job", {"n": n}) for n in range(100)])
    thread.start()
    found = await take(subscription, 100)
    thread.join()
    assert found == [("job", f'{{"n":{n}}}') for n in range(100)]


async def test_a_subscriber_resumes_behind_what_it_saw() -> None:
    broker = EventBroker()
    ids = [broker.publish("job", {"n": n}) for n in range(5)]
    assert await take(broker.subscribe(ids[2]), 2) == [("job", '{"n":3}'), ("job", '{"n":4}')]


async def test_nothing_is_missed_when_nothing_happened() -> None:
    broker = EventBroker()
    subscription = broker.subscribe(broker.last_id)
    broker.publish("job", {})
    assert await take(subscription, 1) == [("job", "{}")]


async def test_what_the_ring_no_longer_holds_is_a_reset() -> None:
    broker = EventBroker(ring=3)
    ids = [broker.publish("job", {"n": n}) for n in range(5)]
    subscription = broker.subscribe(ids[0])
    broker.publish("commit", {})
    assert await take(subscription, 2) == [("reset", "{}"), ("commit", "{}")]
    assert await take(broker.subscribe(ids[2]), 1) == [("job", '{"n":3}')]


async def test_ids_of_another_daemon_are_a_reset() -> None:
    old = EventBroker().publish("job", {})
    new = EventBroker()
    new.publish("job", {})
    assert (await take(new.subscribe(old - 1_000), 1))[0][0] == "reset"
    assert (await take(new.subscribe(new.last_id + 1_000), 1))[0][0] == "reset"


async def test_a_subscriber_that_lags_is_sent_away_with_a_reset() -> None:
    broker = EventBroker(pending=10)
    slow, quick = broker.subscribe(), broker.subscribe()
    for n in range(11):
        broker.publish("job", {"n": n})
        assert len(await take(quick, 1)) == 1
        quick.has_ended = False
    assert await drain(slow) == ["reset"]


async def test_closing_ends_every_stream_after_its_last_event() -> None:
    broker = EventBroker()
    subscription = broker.subscribe()
    broker.publish("daemon", {})
    broker.close()
    assert await drain(subscription) == ["daemon"]
    assert await drain(broker.subscribe()) == []
