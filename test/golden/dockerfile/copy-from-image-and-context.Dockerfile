FROM base:1
COPY --from=other:2 /bin/x /x
COPY --from=files a /a
COPY --from=base /etc/b /b
