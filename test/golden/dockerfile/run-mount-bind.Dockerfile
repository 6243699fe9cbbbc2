FROM base:1 AS src
FROM base:1
WORKDIR /w
RUN --mount=target=/ctx true
RUN --mount=type=bind,from=src,source=/a/../b,target=rel,rw true
RUN --mount=type=bind,from=img:1,src=x,dst=/y,ro=false true
