FROM base:1
RUN x
COPY --chmod=99999 a \
  /a
