/** Targets that somebody has given a name to, and which of them is meant where nothing is said. No credentials are among it. */
import { join } from 'node:path'
import { Failure } from '../lib/failure.ts'
import { readDocument, writeDocument } from './document.ts'
import { type StateOf, stateRoot } from './folder.ts'

const version = 1

export interface NamedTarget {
  /** engine, swarm, kubernetes. */
  readonly kind: string
  readonly host?: string
  readonly context?: string
  readonly namespace?: string
  /** Value of KUBECONFIG. */
  readonly kubeconfig?: string
}

export interface NamedTargets {
  /** A name, or a kind. */
  readonly current?: string
  readonly targets: Readonly<Record<string, NamedTarget>>
}

const members = ['kind', 'host', 'context', 'namespace', 'kubeconfig'] as const

/** @throws Failure when they cannot be read */
export function readNamedTargets(of: Omit<StateOf, 'host'>): NamedTargets {
  const path = pathOf(of)
  const document = readDocument(path, version)
  if (document === undefined) return { targets: {} }
  const bad = () => new Failure('internal', `Cannot read "${path}": it is no list of targets`)
  const { current, targets } = document
  if (typeof targets !== 'object' || targets === null) throw bad()
  const found: Record<string, NamedTarget> = Object.create(null)
  for (const [name, value] of Object.entries(targets as Readonly<Record<string, unknown>>)) {
    if (typeof value !== 'object' || value === null) throw bad()
    const texts = members.flatMap(member => {
      const text = (value as Readonly<Record<string, unknown>>)[member]
      return typeof text === 'string' ? [[member, text] as const] : []
    })
    const target = Object.fromEntries(texts) as unknown as NamedTarget
    if (target.kind === undefined) throw bad()
    found[name] = target
  }
  return { targets: found, ...(typeof current === 'string' ? { current } : {}) }
}

export function writeNamedTargets(of: Omit<StateOf, 'host'>, { current, targets }: NamedTargets): void {
  writeDocument(pathOf(of), `${JSON.stringify({ version, current, targets }, null, 2)}\n`)
}

function pathOf(of: Omit<StateOf, 'host'>): string {
  return join(stateRoot(of), 'targets.json')
}
