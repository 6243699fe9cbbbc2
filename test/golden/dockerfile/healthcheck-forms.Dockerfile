FROM base:1 AS a
HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2h --start-interval=1s --retries=5 CMD curl -f "http://x" || exit 1
FROM base:1 AS b
HEALTHCHECK CMD ["curl", "x"]
FROM a AS c
HEALTHCHECK NONE
FROM a AS d
HEALTHCHECK --retries=1 CMD again
