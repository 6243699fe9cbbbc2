FROM base:1 AS First
FROM scratch
COPY --from=0 /a /a
COPY --from=FIRST /b /b
