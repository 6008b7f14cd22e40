"""Takes orders from an HTTP API: POST /orders makes one, GET /orders/{id} shows it."""

import json
import uuid
from datetime import datetime, timezone

ORDERS = {}
"""Kept as long as the execution environment is: a real shop would use a table."""


def handler(event, context):
    method = event["requestContext"]["http"]["method"]
    if method == "POST":
        return place(json.loads(event["body"] or "{}"))
    if method == "GET":
        return show(event.get("pathParameters", {}).get("id", ""))
    return answer(405, {"error": f"{method} is not allowed"})


def place(wanted):
    if not wanted.get("items"):
        return answer(400, {"error": "an order has items"})
    order = {
        "id": f"ord-{uuid.uuid4()}",
        "items": wanted["items"],
        "count": sum(item.get("count", 1) for item in wanted["items"]),
        "placed": datetime.now(timezone.utc).isoformat(),
    }
    ORDERS["last"] = order
    print(f"placed {order['count']} items")
    return answer(201, order)


def show(id):
    order = ORDERS.get(id)
    return answer(200, order) if order else answer(404, {"error": f"there is no order {id}"})


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
