/** Scopes of systemd's with our groups below them: opened before a group is made, held as long as the engine lives, and after that by containers. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import { scopeOf } from './parts/systemd-scope.ts'

/** Whether it is this machine's first process (sd_booted(3)). */
export function isSystemd(): boolean {
  return existsSync('/run/systemd/system')
}

/** Says a line when it is there, and ends with us. */
const holder = ['sh', '-c', 'echo; exec cat']
/** Of 100 ms: a scope whose last process has ended is there for a moment yet. */
const tries = 50

export class Scopes {
  /** Of the one hierarchy. */
  readonly #mount: string
  readonly #name: string
  readonly #held = new Map<string, Promise<ChildProcess>>()

  constructor(mount: string, name: string) {
    this.#mount = mount
    this.#name = name
  }

  /** Where a process enters the group of monitors by writing: it stands beside those of containers, since systemd ends what is in the engine's. */
  get monitors(): string {
    return `${this.#mount}/${scopeOf(this.#name, this.#name).folder}/monitors/cgroup.procs`
  }

  /** Resolves when the scope for a group is there, to stay. @throws Failure `unavailable` in systemd's words. */
  async hold(path: string): Promise<void> {
    const place = scopeOf(this.#name, path)
    const opening = this.#held.get(place.unit) ?? this.#open(place)
    this.#held.set(place.unit, opening)
    try {
      const child = await opening
      if (child.exitCode === null && child.signalCode === null) return
    } catch (error) {
      this.#held.delete(place.unit)
      throw error
    }
    // somebody has ended it
    this.#held.delete(place.unit)
    await this.hold(path)
  }

  /** Scopes without a container go. */
  close(): void {
    for (const opening of this.#held.values())
      opening.then(
        child => child.stdin!.end(),
        () => undefined, // whoever waited for it has heard
      )
  }

  async #open({ slice, unit, folder }: ReturnType<typeof scopeOf>): Promise<ChildProcess> {
    const group = `${this.#mount}/${folder}`
    const scope = ['--scope', '--quiet', '--collect', `--unit=${unit}`, `--slice=${slice}`]
    const properties = ['--property=Delegate=yes', '--property=TasksMax=infinity']
    for (let left = tries; ; left--) {
      const there = existsSync(group)
      const command = there ? holder : ['systemd-run', ...scope, ...properties, '--', ...holder]
      const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
      const said = await firstWord(child)
      if (said === undefined && (await enters(child.pid!, `${group}/monitors`))) {
        letGo(child)
        return child
      }
      child.stdin.end()
      if (left === 0)
        throw new Failure(
          'unavailable',
          `Cannot get the scope "${unit}" from systemd: ${said ?? 'it is being removed'}`,
        )
      await pause(100)
    }
  }
}

/** Undefined when it runs; what it complained of when it does not. */
async function firstWord(child: ChildProcess): Promise<string | undefined> {
  const complaint = text(child.stderr!)
  const ended = once(child, 'exit').then(async () => (await complaint).trim() || 'it said nothing', messageOf)
  return await Promise.race([once(child.stdout!, 'data').then(() => undefined), ended])
}

/** False when the scope has gone meanwhile. */
async function enters(pid: number, group: string): Promise<boolean> {
  try {
    await mkdir(group).catch(error => {
      if (errnoOf(error) !== 'EEXIST') throw error
    })
    await writeFile(`${group}/cgroup.procs`, String(pid), { flag: 'r+' })
    return true
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

/** It keeps nobody from ending. */
function letGo(child: ChildProcess): void {
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref()
}
