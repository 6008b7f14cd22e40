# A stand-in for eclipse-temurin:NN-jre, made of Debian's packages: the same paths, environment and command.
ARG BASE
FROM ${BASE} AS jre
ARG JAVA
# hadolint ignore=DL3008
RUN apt-get update -q \
 && mkdir -p /usr/share/man/man1 \
 && apt-get install -y -q --no-install-recommends "openjdk-${JAVA}-jre-headless" \
 && cp -rL "/usr/lib/jvm/java-${JAVA}-openjdk-$(dpkg --print-architecture)" /openjdk \
 && rm -rf /openjdk/docs /openjdk/man

FROM ${BASE}
COPY --from=jre /openjdk /opt/java/openjdk
ENV JAVA_HOME=/opt/java/openjdk \
    PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LABEL lambdaimg.stand-in=true
CMD ["bash"]
