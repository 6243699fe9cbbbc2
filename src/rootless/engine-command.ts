/** The command that is an engine of an ordinary user: its program in namespaces of its own, where it is root. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../lib/failure.ts'
import { delegation } from './delegation.ts'
import { ensureNamespaces, rootless } from './namespaces.ts'
import { userPlaces } from './places.ts'

export interface UserEngine {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Program and arguments, as root would start it. */
  readonly command: readonly string[]
  /** Hears of what will not work. */
  readonly say: (line: string) => void
}

/** Makes the namespaces first where nobody holds them. Arguments of the command go before those that follow from the user. */
export async function userEngineCommand({ env, command, say }: UserEngine): Promise<[string, ...string[]]> {
  if (!existsSync(rootless))
    throw new Failure('unsupported', 'Cannot start an engine without root rights from the one executable', {
      hint: 'Use the Debian package, that for npm or a clone, or run it with sudo',
    })
  const places = userPlaces(env)
  mkdirSync(places.data, { recursive: true, mode: 0o700 })
  await ensureNamespaces({ places, env, say })
  const settings = places.settings.find(path => existsSync(path))
  const given = (name: string) => command.some(word => word === `--${name}` || word.startsWith(`--${name}=`))
  const usual: Readonly<Record<string, string>> = {
    'data-root': places.data,
    'run-root': places.run,
    'netns-root': join(places.run, 'netns'),
    ...(settings !== undefined && { config: settings }),
  }
  const flags = Object.entries(usual).flatMap(([name, value]) => (given(name) ? [] : [`--${name}=${value}`]))
  const entry = [rootless, 'enter', places.namespaces, ...command, ...flags, `--port-relay=${places.ports}`]
  const [program = rootless, ...words] = [...delegation(env), ...entry]
  return [program, ...words]
}
