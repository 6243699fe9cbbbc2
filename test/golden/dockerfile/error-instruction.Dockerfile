FROM base:1

RNU x
