# A stand-in for distroless/nodejs: node with the libraries that it needs, certificates, two users, and no shell.
ARG BASE
FROM ${BASE} AS parts
# hadolint ignore=DL4006
RUN mkdir -p /root-of-it/nodejs/bin /root-of-it/etc/ssl /root-of-it/home/nonroot /root-of-it/root \
 && cp "$(readlink -f "$(command -v node)")" /root-of-it/nodejs/bin/node \
 && ldd /root-of-it/nodejs/bin/node | grep -o '/[^ ]*' | xargs cp -L --parents --target-directory=/root-of-it \
 && cp -rL /etc/ssl/certs /root-of-it/etc/ssl/ \
 && cp /etc/os-release /root-of-it/etc/ \
 && printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin > /root-of-it/etc/passwd \
 && printf '%s\n' root:x:0: nonroot:x:65532: > /root-of-it/etc/group \
 && install -d -m 1777 /root-of-it/tmp

FROM scratch
COPY --from=parts /root-of-it/ /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /
LABEL lambdaimg.stand-in=true
ENTRYPOINT ["/nodejs/bin/node"]
