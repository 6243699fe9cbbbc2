FROM base:1
ARG A=1 B C="x y" D=$A
LABEL a=$A b=$B c=$C d=$D
