FROM base:1
ENV A=1 B="two words" C=three\ words D='single $A' E="$A${B}"
ENV OLD form with  blanks and $A
ENV A=9 F=$A
ENV EMPTY= QUOTED=""
