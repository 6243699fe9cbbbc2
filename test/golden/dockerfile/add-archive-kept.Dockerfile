FROM base:1
ADD --unpack=false a.tar /a/
ADD a.tar /b/
