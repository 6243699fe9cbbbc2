FROM base:1
RUN <<EOF
  echo a
echo "$b"
EOF
RUN <<-EOF
	echo tabs
		two
	EOF
RUN <<"EOF"
#!/bin/sh -e
echo script
EOF
RUN cat <<A - <<B > /x
a
A
b
B
RUN python <<EOF && echo done
print(1)
EOF
