FROM base:1
COPY a b
WORKDIR /w
COPY a b
COPY a .
COPY a ./
COPY a sub/.
COPY a ../up/
