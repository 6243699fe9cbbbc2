# check=skip
FROM base:1
