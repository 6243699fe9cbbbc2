From base:1 as Web
rUN a
RUN b
cmd c
FROM base:1 AS web2
RUN --mount=from=Web,target=/w x
