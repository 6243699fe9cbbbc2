FROM base:1
WORKDIR /w/
COPY ["a b", "c", "d e/"]
ADD ["x", "."]
COPY y ..
COPY z /abs/.
