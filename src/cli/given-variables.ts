/** Variables that the command line gives to what runs in a container: -e NAME=VALUE, -e NAME, --env-from-file. */
import { readFile } from 'node:fs/promises'
import { errnoOf, Failure } from '../lib/failure.ts'
import { usage } from './options.ts'

type Env = Readonly<Record<string, string | undefined>>

/** `NAME` alone takes its value from `env`, the process's environment over the env files, and is left out when it has none there. */
export function given(list: readonly string[], env: Env): readonly string[] {
  return list.flatMap(each => {
    if (each.startsWith('=')) throw usage(`Cannot use --env "${each}": it has no name`)
    if (each.includes('=')) return each
    const value = env[each]
    return value === undefined ? [] : `${each}=${value}`
  })
}

/** Those of files too, in the syntax of env files, as with Compose: what was given before wins, and is what references see. */
export async function givenOrRead(
  list: readonly string[],
  files: readonly string[],
  env: Env,
): Promise<readonly string[]> {
  const variables = new Map(given(list, env).map(each => [each.slice(0, each.indexOf('=')), each]))
  if (files.length === 0) return [...variables.values()]
  const { parseEnvText } = await import('../stack/env.ts')
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Failure('not-found', `Cannot read "${file}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
    })
    const found = parseEnvText(text, file, name => variables.get(name)?.slice(name.length + 1))
    for (const [name, value] of found) if (!variables.has(name)) variables.set(name, `${name}=${value}`)
  }
  return [...variables.values()]
}
