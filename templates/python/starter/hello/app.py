def handler(event, context):
    """Greets whoever the event names."""
    return {"message": f"Hello, {event.get('name', 'world')}"}
