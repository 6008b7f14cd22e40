import os
import time

if os.environ.get("FAIL") == "init":
    raise ValueError("no start")


def handler(event, context):
    match event.get("do"):
        case "fail":
            raise ValueError("on purpose")
        case "exit":
            os._exit(3)
        case "hang":
            time.sleep(30)
    return {"message": f"Hello, {event.get('name', 'World')}"}
