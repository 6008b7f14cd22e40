import requests


def handler(event, context):
    """Greets, and says which version of its dependency it runs with."""
    return {"message": f"Hello, {event.get('name', 'world')}", "requests": requests.__version__}
