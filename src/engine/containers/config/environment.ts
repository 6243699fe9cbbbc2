/** The environment of a process: the engine's few defaults, then what image and author set; nothing of the engine's own. */

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const keyOf = (entry: string): string => {
  const at = entry.indexOf('=')
  return at < 0 ? entry : entry.slice(0, at)
}

/** The author's entries, then those of the image that they do not name. `KEY` alone stays, to remove the variable at start. */
export function mergeEnvironment(own: readonly string[], image: readonly string[]): string[] {
  const named = new Set(own.map(keyOf))
  return [...own, ...image.filter(entry => !named.has(keyOf(entry)))]
}

/** Later entries win in the place of the first; `KEY` without `=` removes. */
function overlay(base: readonly string[], over: readonly string[]): string[] {
  const values = new Map<string, string>()
  for (const entry of base) values.set(keyOf(entry), entry)
  for (const entry of over) {
    if (entry.includes('=')) values.set(keyOf(entry), entry)
    else values.delete(entry)
  }
  return [...values.values()]
}

/** The whole environment of a container's process. */
export function containerEnvironment(options: {
  readonly env: readonly string[]
  readonly hostname: string
  readonly terminal: boolean
  readonly home: string
}): string[] {
  const base = [`PATH=${defaultPath}`, `HOSTNAME=${options.hostname}`]
  if (options.terminal) base.push('TERM=xterm')
  return withHome(overlay(base, options.env), options.home)
}

/** The environment of a build's command: nothing names the host it runs on, since what it makes must not depend on that. */
export function commandEnvironment(env: readonly string[], home: string): string[] {
  return withHome(overlay([`PATH=${defaultPath}`], env), home)
}

/** The environment of an exec: the container's, TERM with a terminal, then its own. */
export function execEnvironment(options: {
  readonly container: readonly string[]
  readonly env: readonly string[]
  readonly hostname: string
  readonly terminal: boolean
  readonly home: string
}): string[] {
  const base = [`PATH=${defaultPath}`, `HOSTNAME=${options.hostname}`]
  if (options.terminal) base.push('TERM=xterm')
  return withHome(overlay(overlay(base, options.container), options.env), options.home)
}

/** An empty HOME counts as none, as runc and shells see it. */
function withHome(env: string[], home: string): string[] {
  const at = env.findIndex(entry => entry.startsWith('HOME='))
  if (at < 0) return [...env, `HOME=${home}`]
  if (env[at] === 'HOME=') env[at] = `HOME=${home}`
  return env
}
