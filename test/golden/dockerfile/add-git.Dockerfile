FROM base:1
ADD --keep-git-dir=true https://127.0.0.1:1/team/app.git#v1.2:src /src/
ADD git@127.0.0.1:app.git?tag=v1 /tag/
ADD https://127.0.0.1:1/app.git?branch=main&submodules=false&subdir=a /branch/
ADD https://127.0.0.1:1/not-git /file
