FROM base:1 AS seed
FROM base:1
RUN --mount=type=cache,target=/root/.cache true
RUN --mount=type=cache,id=pkg,target=/p/,sharing=locked,ro true
RUN --mount=type=cache,from=seed,source=/s,target=/t,uid=1,gid=2,mode=0700,sharing=private true
