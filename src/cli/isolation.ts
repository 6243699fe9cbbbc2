/** Whether the stack of a folder runs under a name of its own: by --isolated, by a setting, or because it did before. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chooseHost } from '../client/host.ts'
import { errnoOf } from '../lib/failure.ts'
import type { StateOf } from '../state/folder.ts'
import { type Isolated, readIsolated } from '../state/isolated.ts'
import type { Call } from './command.ts'
import { type OptionTable, usage } from './options.ts'

export const isolatedOption = {
  isolated: {
    kind: 'flag',
    about: 'Run beside another checkout of the same stack: own names, free ports instead of taken ones',
  },
} as const satisfies OptionTable

export function stateOf({ globals, env }: Pick<Call, 'globals' | 'env'>): StateOf {
  return { host: chooseHost(globals.host, env).host, env }
}

export interface Asked {
  /** The folder of the stack, absolute. */
  readonly directory: string
  /** The name that its files give it. */
  readonly name: string
  /** --isolated. */
  readonly isolated?: boolean | undefined
}

/** Undefined: it has the name that its files give it. A name that is given by -p or a variable is meant as it is. */
export function isolationOf(call: Pick<Call, 'globals' | 'env'>, asked: Asked): Isolated | undefined {
  const { directory, name, isolated } = asked
  const { env, globals } = call
  if (!isolated && (globals['project-name'] || env['COMPOSE_PROJECT_NAME'])) return undefined
  const setting = settingOf(env)
  if (setting === 'never' && !isolated) return undefined
  const kept = readIsolated(directory, stateOf(call))
  if (kept !== undefined && kept.base === name) return kept
  const worktree = worktreeOf(directory)
  const isWanted = isolated || setting === 'always' || (setting === 'worktree' && worktree !== undefined)
  if (!isWanted) return undefined
  const suffix = fit(worktree ?? '') || createHash('sha256').update(directory).digest('hex').slice(0, 4)
  return { directory, base: name, name: `${name}-${suffix}`, suffix, ports: {} }
}

const settings = ['always', 'worktree', 'never'] as const

function settingOf(env: Call['env']): (typeof settings)[number] | undefined {
  const text = env['TSCOMPOSE_ISOLATED']
  if (!text) return undefined
  const found = settings.find(setting => setting === text)
  if (!found) throw usage(`TSCOMPOSE_ISOLATED is "${text}": it should be worktree, always or never`)
  return found
}

/**
 * The name that git has for a linked worktree, unique within its repository: its `.git` is a file that leads to
 * worktrees/NAME (gitrepository-layout(5)). Undefined elsewhere.
 */
export function worktreeOf(directory: string): string | undefined {
  for (let folder = directory; ; folder = dirname(folder)) {
    let text: string
    try {
      text = readFileSync(join(folder, '.git'), 'utf8')
    } catch (error) {
      // a folder: the main worktree
      if (errnoOf(error) === 'EISDIR') return undefined
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'EACCES') throw error
      if (folder === dirname(folder)) return undefined
      continue
    }
    return /^gitdir: .*\/worktrees\/([^/\n]+)\/?\n?$/.exec(text)?.[1]
  }
}

/** As a project's name may go on. */
function fit(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 30)
    .replace(/^[-_]+|[-_]+$/g, '')
}
