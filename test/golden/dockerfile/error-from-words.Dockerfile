FROM base:1 base:2
