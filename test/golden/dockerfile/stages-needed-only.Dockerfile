FROM missing:1 AS unused
RUN false
FROM base:1 AS lib
RUN lib
FROM base:1 AS tool
RUN tool
FROM base:1 AS app
COPY --from=lib /l /l
RUN --mount=from=tool,target=/tool /tool/run
FROM app AS later
RUN later
