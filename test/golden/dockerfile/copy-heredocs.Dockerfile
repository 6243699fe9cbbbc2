FROM base:1
ARG NAME=world
COPY <<one <<-"two" <<empty a /texts/
hello $NAME "quoted" \$x
one
	kept $NAME
	two
empty
WORKDIR /w
COPY <<EOF name
x
EOF
