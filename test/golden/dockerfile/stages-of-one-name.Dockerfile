FROM base:1 AS a
RUN first
FROM base:1 AS a
RUN second
FROM base:1
COPY --from=a /x /x
