from base:1 as web
run echo a
copy a /a
cmd ["x"]
