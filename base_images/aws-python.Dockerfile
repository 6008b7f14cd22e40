# A stand-in for public.ecr.aws/lambda/python:X.Y, made of Debian's packages: the same paths, environment and entrypoint,
# with the runtime interface client and the emulator inside. (The real one is Amazon Linux.)
ARG BASE
FROM ${BASE} AS python
ARG PYTHON
# hadolint ignore=DL3008
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends python3 python3-venv \
 && python3 -m venv --copies /var/lang \
 && cp -f "/usr/bin/python${PYTHON}" "/var/lang/bin/python${PYTHON}" \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log

FROM python AS parts
ARG RIC
ARG RIE
# hadolint ignore=DL3013,DL3042
RUN --mount=type=secret,id=ca --mount=type=cache,target=/root/.cache/pip \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    /var/lang/bin/pip install -q --no-compile --only-binary :all: --target /var/runtime "awslambdaric==${RIC}" \
 && /var/lang/bin/pip install -q --no-compile --no-deps --only-binary :all: --target /sam "aws-sam-cli==${RIE}" \
 && case "$(uname -m)" in aarch64) rie=aws-lambda-rie-arm64 ;; *) rie=aws-lambda-rie-x86_64 ;; esac \
 && install -m 755 "/sam/samcli/local/rapid/$rie" /aws-lambda-rie
# The two scripts are for the image's own shell: nothing in them is expanded here.
# hadolint ignore=SC2016
RUN printf '%s\n' '#!/bin/sh' \
      'export PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}/var/runtime"' \
      'exec /var/lang/bin/python3 -m awslambdaric "$_HANDLER"' > /var/runtime/bootstrap \
 && printf '%s\n' '#!/bin/sh' \
      'if [ $# -ne 1 ]; then' \
      '  echo "entrypoint requires the handler name to be the first argument" >&2' \
      '  exit 142' \
      'fi' \
      'export _HANDLER="$1"' \
      'if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap; fi' \
      'exec /var/runtime/bootstrap' > /lambda-entrypoint.sh \
 && chmod 755 /var/runtime/bootstrap /lambda-entrypoint.sh

FROM python
COPY --from=parts /var/runtime /var/runtime
COPY --from=parts /aws-lambda-rie /usr/local/bin/aws-lambda-rie
COPY --from=parts /lambda-entrypoint.sh /lambda-entrypoint.sh
ENV LANG=en_US.UTF-8 \
    TZ=:/etc/localtime \
    PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin \
    LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib \
    LAMBDA_TASK_ROOT=/var/task \
    LAMBDA_RUNTIME_DIR=/var/runtime
WORKDIR /var/task
LABEL lambdaimg.stand-in=true
ENTRYPOINT ["/lambda-entrypoint.sh"]
