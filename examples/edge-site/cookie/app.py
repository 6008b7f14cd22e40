import random


def handler(event, context):
    """Viewer response: who has no group yet gets one."""
    cf = event["Records"][0]["cf"]
    response, cookies = cf["response"], cf["request"]["headers"].get("cookie", [])
    if not any("group=" in cookie["value"] for cookie in cookies):
        value = f"group={random.choice('ab')}; Path=/; SameSite=Lax"
        response["headers"]["set-cookie"] = [{"key": "Set-Cookie", "value": value}]
    return response
