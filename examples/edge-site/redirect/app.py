def handler(event, context):
    """Viewer request: an address below /old leads to the new one."""
    request = event["Records"][0]["cf"]["request"]
    if not request["uri"].startswith("/old/"):
        return request
    query = f"?{request['querystring']}" if request["querystring"] else ""
    place = "/" + request["uri"].removeprefix("/old/").lstrip("/") + query
    return {"status": "301", "headers": {"location": [{"key": "Location", "value": place}]}}
