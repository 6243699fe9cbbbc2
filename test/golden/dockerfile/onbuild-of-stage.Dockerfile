FROM base:1 AS parent
ONBUILD ENV A=1
ONBUILD RUN echo $A
ONBUILD COPY <<EOF /f
text
EOF
RUN parent
FROM parent
RUN child
FROM parent AS other
RUN not me
