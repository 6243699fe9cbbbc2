# check=skip=JSONArgsRecommended,WorkdirRelativePath
FROM base:1
WORKDIR a
CMD b
ENV old form
