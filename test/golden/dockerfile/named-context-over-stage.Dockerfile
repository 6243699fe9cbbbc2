FROM base:1 AS built
RUN false
FROM built AS next
RUN true
FROM base:1
COPY --from=built /a /a
COPY --from=next /b /b
