FROM base:1
RUN --mount=type=tmpfs,target=/t --mount=type=tmpfs,target=/u,size=1m "--mount=type=bind,target=/a b" true
