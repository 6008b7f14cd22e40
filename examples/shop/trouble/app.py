"""Fails in the ways that a function can."""

import os
import sys


class OutOfStock(Exception):
    """An error of the shop's own."""


def handler(event, context):
    return globals()[event["how"]]()


def own_error():
    raise OutOfStock("no lamps left")


def key_error():
    return {}["missing"]


def rubbish():
    return {1, 2, 3}  # a set is no JSON


def out():
    sys.exit(3)


def killed():
    os.abort()


def memory():
    return len(bytearray(b"x") * 1024 * 1024 * 1024)


def read_only():
    open("/var/task/new", "w")


def large():
    return "x" * (7 * 1024 * 1024)


def fine():
    return {"fine": True}
