FROM scratch AS empty
LABEL a=1
FROM base:1 AS scratch
RUN x
FROM scratch
COPY --from=empty / /
