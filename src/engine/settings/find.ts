/** Which file has the engine's settings. */
import { existsSync } from 'node:fs'
import { Failure } from '../../lib/failure.ts'
import type { Settings } from './schema.ts'

/** Where settings are looked for when nothing names a file; the second is the older name. */
const usualFiles = ['/etc/tscompose/engine.yaml', '/etc/tscompose/engine.json'] as const

/** Undefined: there is none, and none is needed. @throws Failure `invalid` for two. */
export function findSettings(named: string | undefined, usual: readonly string[] = usualFiles): string | undefined {
  if (named !== undefined) return named
  const found = usual.filter(path => existsSync(path))
  if (found.length > 1)
    throw new Failure('invalid', `Cannot choose settings: there are ${found.map(path => `"${path}"`).join(' and ')}`, {
      hint: `Put all of them into "${found[0]}", which takes the same words, and remove the other`,
    })
  return found[0]
}

/** Loads what reads files only where there is one. @throws as `findSettings` and `readSettings` do. */
export async function loadSettings(named: string | undefined, usual?: readonly string[]): Promise<Settings> {
  const path = findSettings(named, usual)
  return path === undefined ? {} : (await import('./read.ts')).readSettings(path)
}
