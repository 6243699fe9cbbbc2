FROM base:1
RUN <<EOF
x
