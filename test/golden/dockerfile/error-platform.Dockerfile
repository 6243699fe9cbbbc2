FROM --platform=$TARGETPLATFROM base:1
