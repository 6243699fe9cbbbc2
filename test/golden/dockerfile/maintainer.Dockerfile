FROM base:1
MAINTAINER Some One <one@test>
FROM base:1
MAINTAINER "Quoted $X"
