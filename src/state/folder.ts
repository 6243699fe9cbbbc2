/** Where the upper half keeps what it must remember of a project: history, snapshots, whose folder it is. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Failure } from '../lib/failure.ts'

export interface StateOf {
  /** The engine's host as text: "unix:///run/tscompose/engine.sock". Two engines may have projects of one name. */
  readonly host: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Of whoever runs this process; taken from the process where it is absent. */
  readonly uid?: number | undefined
}

/** A project's name is a folder's here, so that one that is none is no way out of it. */
const projectName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$/

/** The folder of one project, absolute; it need not be there. @throws Failure `invalid` for a name that no project has. */
export function projectFolder(project: string, of: StateOf): string {
  if (!projectName.test(project))
    throw new Failure('invalid', `Cannot use project name "${project}": it should be letters, digits, "-", "_" and "."`)
  return join(engineFolder(of), project)
}

/** The folder of all that is known of the projects of one engine, absolute; it need not be there. */
export function engineFolder(of: StateOf): string {
  const hash = createHash('sha256').update(of.host).digest('hex').slice(0, 12)
  return join(stateRoot(of), hash)
}

/** TSCOMPOSE_STATE; for root /var/lib/tscompose/stacks, for others tscompose/stacks of their XDG_STATE_HOME. */
export function stateRoot({ env, uid = process.geteuid?.() }: Omit<StateOf, 'host'>): string {
  if (env['TSCOMPOSE_STATE']) return absolute(env['TSCOMPOSE_STATE'], 'TSCOMPOSE_STATE')
  if (uid === 0) return '/var/lib/tscompose/stacks'
  // a relative one counts as none: XDG Base Directory Specification
  const state = env['XDG_STATE_HOME']?.startsWith('/') ? env['XDG_STATE_HOME'] : undefined
  if (state !== undefined) return join(state, 'tscompose/stacks')
  const home = env['HOME']
  if (!home)
    throw new Failure('invalid', 'Cannot tell where state is kept: HOME is not set', {
      hint: 'Set TSCOMPOSE_STATE to a folder',
    })
  return join(absolute(home, 'HOME'), '.local/state/tscompose/stacks')
}

function absolute(path: string, variable: string): string {
  if (path.startsWith('/') && !path.includes('\0')) return path
  throw new Failure('invalid', `Cannot keep state in "${path}": ${variable} should be an absolute path`)
}
