# syntax=docker/dockerfile:1
# The manager's image: one static binary on a base without a shell, run by a user
# that is not root. Build it from the root of the project:
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t cabildo .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
# The dependencies first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY api/ api/
COPY cmd/ cmd/
COPY controllers/ controllers/
COPY internal/ internal/
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=unknown
# goolm is the pure Go implementation of the Matrix client's cryptography.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -tags goolm -ldflags "-s -w -X main.version=$VERSION" -o /manager ./cmd

FROM gcr.io/distroless/static:nonroot
LABEL org.opencontainers.image.title="Cabildo" \
      org.opencontainers.image.description="Governed community spaces on chat platforms, declared in Kubernetes" \
      org.opencontainers.image.source="https://github.com/cabildo-dev/cabildo" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY LICENSE /LICENSE
COPY --from=build /manager /manager
# A number, so that a cluster can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/manager"]
