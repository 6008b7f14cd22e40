"""moto's server as a process of its own: `python -m tests.integration.aws_server`, which prints its address.

Its ECR says that images go to the registry of LAMBDAIMG_TEST_REGISTRY, with the password of LAMBDAIMG_TEST_TOKEN:
what a login there is worth is the registry's to say.
"""

import base64
import json
import os
import sys
import time
from typing import Any

from moto.awslambda.urls import url_paths
from moto.core.responses import ActionResult
from moto.ecr.responses import ECRResponse
from moto.server import ThreadedMotoServer


def authorization(self: ECRResponse) -> Any:
    token = base64.b64encode(f"AWS:{os.environ['LAMBDAIMG_TEST_TOKEN']}".encode()).decode()
    registry = f"https://{os.environ['LAMBDAIMG_TEST_REGISTRY']}"
    return ActionResult(
        {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": registry, "expiresAt": time.time() + 60}]}
    )


def provisioned(*_: Any) -> tuple[int, dict[str, str], str]:
    """moto has no provisioned concurrency: there is never any."""
    kind = "ProvisionedConcurrencyConfigNotFoundException"
    return 404, {"X-Amzn-ErrorType": kind}, json.dumps({"Type": "User", "Message": "none"})


def main() -> None:
    url_paths[r"{0}/2019-09-30/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency$"] = provisioned
    ECRResponse.get_authorization_token = authorization  # type: ignore[method-assign]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()  # until whoever started it goes
    server.stop()


if __name__ == "__main__":
    main()
