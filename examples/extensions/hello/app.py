from pathlib import Path


def handler(event, context):
    print("the function's own line")
    file = Path("/tmp/telemetry.jsonl")
    return file.read_text().splitlines() if file.exists() else []
