/** What of a caller's environment a resident program may see: how to run, how to reach registries, how to debug. Nothing else is its business. */
const passed =
  /^(PATH|HOME|LANG|LC_ALL|TZ|TMPDIR|NODE_COMPILE_CACHE|NODE_DEBUG|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|TSCOMPOSE_[A-Z_]+|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy)$/

export function passedOn(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => passed.test(entry[0]) && entry[1] !== undefined),
  )
}
