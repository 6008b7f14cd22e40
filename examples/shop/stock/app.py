"""Takes items out of stock, for the messages of a queue; those that can't be served go back to it."""

import json

STOCK = {"book": 10, "pen": 100}


def handler(event, context):
    failures = [{"itemIdentifier": record["messageId"]} for record in event["Records"] if not take(record)]
    return {"batchItemFailures": failures, "left": STOCK}


def take(record):
    wanted = json.loads(record["body"])
    if STOCK.get(wanted["item"], 0) < wanted.get("count", 1):
        print(f"not enough of {wanted['item']}")
        return False
    STOCK[wanted["item"]] -= wanted.get("count", 1)
    return True
