"""Asks a supplier, who takes so many seconds to answer."""

import time


def handler(event, context):
    time.sleep(event["seconds"])
    return {"answered": True}
