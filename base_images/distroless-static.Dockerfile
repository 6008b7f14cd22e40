# A stand-in for distroless/static, made of Debian's packages: certificates, time zones, two users, and no shell.
ARG BASE
FROM ${BASE} AS parts
# hadolint ignore=DL3008
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends ca-certificates netbase tzdata \
 && mkdir -p /root-of-it/etc/ssl /root-of-it/home/nonroot /root-of-it/usr/share /root-of-it/root \
 && cp -rL /etc/ssl/certs /root-of-it/etc/ssl/ \
 && cp -r /usr/share/zoneinfo /root-of-it/usr/share/ \
 && cp /etc/os-release /etc/protocols /etc/services /root-of-it/etc/ \
 && printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin > /root-of-it/etc/passwd \
 && printf '%s\n' root:x:0: nonroot:x:65532: > /root-of-it/etc/group \
 && install -d -m 1777 /root-of-it/tmp

FROM scratch
COPY --from=parts /root-of-it/ /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /
LABEL lambdaimg.stand-in=true
