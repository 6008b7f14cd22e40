"""A runtime of the tests' own, in plain Python: it does with each event what the event says."""

from tests.integration.conftest import Sandboxed

DOCKERFILE = """FROM python:3.13-slim
COPY bootstrap.py /var/task/
WORKDIR /var/task
ENTRYPOINT ["python3", "bootstrap.py"]
CMD ["handler"]
"""
BOOTSTRAP = """
import http.client, json, os, signal, socket, sys, threading, time

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")

def call(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(HOST, int(PORT))
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()

def stream(path, steps, trailers, breaks):
    connection = socket.create_connection((HOST, int(PORT)))
    connection.sendall(f"POST {path} HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: text/plain\\r\\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n".encode())
    for step in steps:
        if step == "WAIT":
            while not os.path.exists("/tmp/go"):
                time.sleep(0.01)
        else:
            connection.sendall(b"%x\\r\\n%b\\r\\n" % (len(step), step.encode()))
    if breaks:
        connection.close()
        time.sleep(60)
    connection.sendall(b"0\\r\\n" + trailers.encode() + b"\\r\\n")
    connection.recv(1000)
    connection.close()

def inner():
    api, name = "/2020-01-01/extension/", {"Lambda-Extension-Name": "inner"}
    _, headers, _ = call("POST", api + "register", '{"events": ["INVOKE"]}', name)
    me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
    while True:
        print("event", call("GET", api + "event/next", None, me)[2].decode(), flush=True)

def end(*_):
    print("the runtime got SIGTERM", flush=True)
    os._exit(0)

signal.signal(signal.SIGTERM, end)
if "INNER" in os.environ:
    threading.Thread(target=inner, daemon=True).start()
count = 0
while True:
    _, headers, event = call("GET", "/2018-06-01/runtime/invocation/next")
    request, event, count = headers["Lambda-Runtime-Aws-Request-Id"], json.loads(event), count + 1
    path = f"/2018-06-01/runtime/invocation/{request}/response"
    if "stream" in event:
        stream(path, event["stream"] * event.get("times", 1), event.get("trailers", ""), event.get("breaks", False))
    elif "read" in event:
        call("POST", path, open(event["read"]).read())
    elif "large" in event:
        call("POST", path, "x" * event["large"])
    elif "flood" in event:
        for _ in range(event["flood"] * 1024):
            sys.stdout.write("x" * 1023 + "\\n")
        sys.stdout.flush()
        call("POST", path, "null")
    elif "print" in event:
        print(event["print"], flush=True)
        call("POST", path, "null")
    elif "segment" in event:
        host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
        segment = {"name": event["segment"], "trace_id": headers["Lambda-Runtime-Trace-Id"]}
        text = json.dumps({"format": "json", "version": 1}) + "\\n" + json.dumps(segment)
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(text.encode(), (host, int(port)))
        call("POST", path, "null")
    elif "exit" in event:
        os._exit(event["exit"])
    else:
        call("POST", path, json.dumps({"count": count}))
"""
EXTENSION = """#!/usr/bin/env python3
import http.client, json, os, socket, sys, threading, time

API = "/2020-01-01/extension/"
NAME = os.path.basename(sys.argv[0])
DO = os.environ.get("DO", "")

def call(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, path, body and json.dumps(body), {**identity, **headers})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()

def until(file):
    while not os.path.exists(file):
        time.sleep(0.01)

def die_when_told():
    until("/tmp/die")
    os._exit(3)

def listen():
    listener = socket.create_server(("0.0.0.0", 4244))
    body = {"schemaVersion": "2025-01-29", "types": ["platform", "function"], "buffering": {"timeoutMs": 25},
        "destination": {"protocol": "TCP", "URI": "tcp://sandbox.localdomain:4244"}}
    print("subscribed", *call("PUT", "/2022-07-01/telemetry", body), flush=True)
    threading.Thread(target=hear, args=(listener,), daemon=True).start()

def hear(listener):
    until("/tmp/read")
    while True:
        for line in listener.accept()[0].makefile():
            if line.endswith("\\n") and "platform." in line:
                print("heard", line, end="", flush=True)

identity = {}
if DO == "exit":
    sys.exit(3)
if DO == "never":
    time.sleep(60)
_, headers, body = call("POST", API + "register", {"events": ["INVOKE", "SHUTDOWN"]}, {"Lambda-Extension-Name": NAME})
identity = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
print("registered", body, flush=True)
if DO == "init error":
    call("POST", API + "init/error", {"errorMessage": "m"}, {"Lambda-Extension-Function-Error-Type": "Extension.NoKey"})
    sys.exit(1)
if DO == "listen":
    listen()
if DO == "between":
    threading.Thread(target=die_when_told, daemon=True).start()
while True:
    _, _, event = call("GET", API + "event/next")
    print("event", event, flush=True)
    with open("/tmp/events", "a") as file:
        file.write(event)
    event = json.loads(event)
    if event["eventType"] == "SHUTDOWN":
        if DO == "stubborn":
            time.sleep(60)
        break
    if DO == "crash":
        sys.exit(3)
    if DO == "exit error":
        call("POST", API + "exit/error", {}, {"Lambda-Extension-Function-Error-Type": "Extension.Gone"})
        sys.exit(1)
    if DO == "busy":
        until("/tmp/free")
    if DO == "flood":
        for _ in range(50 * 1024):
            sys.stdout.write("y" * 1023 + "\\n")
        sys.stdout.flush()
    if DO == "hang":
        time.sleep(60)
    if DO == "variables":
        print("variables", json.dumps(dict(os.environ)), flush=True)
"""


def custom_function(project: Sandboxed, settings: str = "", **files: str) -> None:
    """Makes the project one of a single function, `own`, in this runtime; it still has to be built."""
    project.write("Dockerfile", DOCKERFILE)
    project.write("bootstrap.py", BOOTSTRAP)
    text = f'[project]\nname = "{project.name}"\n[functions.own]\ndockerfile = "Dockerfile"\nmemory = 256\n{settings}'
    project.write("lambdaimg.toml", text)
    for file, content in files.items():
        project.write(file, content)
