"""Publishes two facts and a withdrawal request, and prints what becomes of it.

    pip install pika
    OUTFLOW_AMQP_URL=amqp://… python3 publish.py

With one user per producer, as `outflow topology definitions` makes them, OUTFLOW_FACTS_URL and
OUTFLOW_EVENTS_URL come before OUTFLOW_AMQP_URL for the parts of the script that they name.

It may be run again: `source` and `id` of a message together are its idempotency key, so that the
second time changes nothing and the answer says that it was the same.
"""

import datetime
import json
import os
import sys
import time
import uuid

import pika

ACCOUNT = os.environ.get("ACCOUNT", "acct-py-1")
# When the money came in, and when it was asked back.
ARRIVED_AT, REQUESTED_AT = "2026-01-10T09:30:00+08:00", "2026-01-12T10:00:00+08:00"
# A broken connection says nothing about the message: it is published again, under the same id.
TRIES = 5


def message(kind, message_id, data):
    """A CloudEvent. Amounts in `data` are texts: a JSON number has been through floating point."""
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": "/shop",
        "type": f"outflow.{kind}.v1",
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def publish(url, key, event):
    """Returns when the broker has the message on disk, in the queue that it belongs to."""
    parameters = pika.URLParameters(url)
    properties = pika.BasicProperties(
        content_type="application/cloudevents+json",
        delivery_mode=pika.DeliveryMode.Persistent,
        message_id=event["id"],
        # The broker refuses another name than the one that logged in.
        user_id=parameters.credentials.username,
    )
    for attempt in range(1, TRIES + 1):
        try:
            connection = pika.BlockingConnection(parameters)
            channel = connection.channel()
            channel.confirm_delivery()
            # `mandatory`: a message that reaches no queue is an error, and not lost.
            channel.basic_publish(
                "outflow.work", key, json.dumps(event).encode(), properties, mandatory=True
            )
            connection.close()
            return
        except pika.exceptions.UnroutableError:
            sys.exit(f"no queue takes {key}: run `outflow topology apply`")
        except pika.exceptions.ChannelClosedByBroker as refused:
            sys.exit(f"the broker refused: {refused}")
        except pika.exceptions.AMQPConnectionError as away:
            if attempt == TRIES:
                sys.exit(f"the broker is away: {away!r}")
            time.sleep(attempt)


def main():
    everywhere = os.environ.get("OUTFLOW_AMQP_URL", "")
    facts = os.environ.get("OUTFLOW_FACTS_URL", everywhere)
    events = os.environ.get("OUTFLOW_EVENTS_URL", everywhere)

    # Listening begins before anything is asked for, so that no answer is missed.
    connection = pika.BlockingConnection(pika.URLParameters(events))
    channel = connection.channel()
    queue = channel.queue_declare(f"outflow.events.example-{uuid.uuid4()}", exclusive=True).method.queue
    channel.queue_bind(queue, "outflow.events", "withdrawal.#")
    channel.queue_bind(queue, "outflow.events", "request.repeated")

    person = {
        "account_id": ACCOUNT, "version": 1, "currency": "CNY", "kind": "person",
        "real_name": "张三", "real_name_verified": True, "partner_mode": "none",
    }
    top_up = {
        "account_id": ACCOUNT, "version": 2, "top_up_id": f"top-{ACCOUNT}", "channel": "bank_transfer",
        "amount": "500.00", "currency": "CNY", "arrived_at": ARRIVED_AT, "bonus": False,
        "bank_account": {
            "holder": "张三", "number": "6222021234567890123", "bank_name": "中国工商银行",
            "branch": "北京朝阳支行", "cnaps": "102100099996",
        },
    }
    publish(facts, "outflow.facts", message("account.upserted", f"{ACCOUNT}:1", person))
    publish(facts, "outflow.facts", message("top_up.credited", f"{ACCOUNT}:2", top_up))

    # Facts and requests have queues of their own. A request that overtakes its facts is rejected;
    # here somebody has just put money in, and asks again.
    for number in range(1, 31):
        request = {
            "account_id": ACCOUNT, "amount": "100.00", "currency": "CNY", "route": "source",
            "requester": "zhang.san", "requested_at": REQUESTED_AT,
        }
        request_id = f"{ACCOUNT}-request-{number}"
        publish(everywhere, "outflow.requests", message("withdrawal.requested", request_id, request))
        state = answer(channel, queue, request_id)
        if state != "rejected":
            break
        time.sleep(1)
    connection.close()
    sys.exit(0 if state in ("approved", "processing", "completed", "pending_approval", "same") else 1)


def answer(channel, queue, request_id):
    """Prints what is told about a request, until it has been decided; the last state."""
    state = None
    for _, _, body in channel.consume(queue, auto_ack=True, inactivity_timeout=30):
        if body is None and state == "pending_approval":
            print("people decide about it", flush=True)
            return state
        if body is None:
            sys.exit("nothing is told: does `outflow run all` run?")
        data = json.loads(body)["data"]
        if data.get("request", {}).get("id") != request_id:
            continue
        # What is said about a request that came again is a verdict: `same` or `conflict`.
        state = data.get("verdict") or data.get("state")
        print(f"{request_id}: {state}", flush=True)
        for reason in data.get("reasons") or []:
            print(f"  {reason['code']}: {reason['detail']}", flush=True)
        if state != "pending_approval":
            return state
    return state


if __name__ == "__main__":
    main()
