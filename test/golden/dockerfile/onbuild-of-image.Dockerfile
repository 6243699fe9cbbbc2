FROM parent:1 AS web
RUN own
