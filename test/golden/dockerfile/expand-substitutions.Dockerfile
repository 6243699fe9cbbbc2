FROM base:1
ENV V=/a/b/c.tar.gz EMPTY=
LABEL default="${X:-none}" plain="${EMPTY-set}" empty="${EMPTY:-none}" plus="${V:+yes}" noplus="${X+yes}" prefix=${V#*/} prefixes=${V##*/} suffix=${V%.*} suffixes=${V%%.*} one=${V/\//_} all=${V//\//_} dollar=$ twice=$$ number=$1x
