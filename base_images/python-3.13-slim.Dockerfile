# A stand-in for python:3.13-slim, made of Debian's packages: the same paths, environment and command.
ARG BASE
FROM ${BASE}
# The packages of the official image, as Debian builds them; a virtual environment gives /usr/local the same layout,
# without Debian's mark that pip must not install there. The interpreter is a real file there, as it is officially.
# hadolint ignore=DL3008
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends netbase python3 python3-venv tzdata \
 && python3 -m venv --copies /usr/local \
 && ln -sf python3.13 /usr/local/bin/python3 \
 && ln -sf python3.13 /usr/local/bin/python \
 && cp -f /usr/bin/python3.13 /usr/local/bin/python3.13 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LABEL lambdaimg.stand-in=true
CMD ["python3"]
