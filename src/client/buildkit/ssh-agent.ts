/** The SSH agents that a build may use: the user's own, or one that knows the key of a file and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { errnoOf, Failure } from '../../lib/failure.ts'

/** Agents by their ids. What was started for the file of a key is ended by `close`. */
export class SshAgents {
  readonly #paths: ReadonlyMap<string, string | undefined>
  readonly #started = new Map<string, Promise<KeyAgent>>()

  /** Id → the socket of an agent or the file of a key; undefined where there is none. */
  constructor(paths: ReadonlyMap<string, string | undefined>) {
    this.#paths = paths
  }

  /** A connection to one; undefined for an id that is none. @throws Failure of one that does not answer */
  async open(id: string): Promise<Duplex | undefined> {
    if (!this.#paths.has(id)) return undefined
    const path = this.#paths.get(id)
    if (!path)
      throw new Failure('not-found', `Cannot forward SSH agent "${id}": SSH_AUTH_SOCK is not set`, {
        hint: 'Start an agent with "eval $(ssh-agent)", or name its socket or a key with "ssh"',
      })
    try {
      const socket = connect((await stat(path)).isSocket() ? path : (await this.#keyAgent(id, path)).socket)
      await once(socket, 'connect')
      return socket
    } catch (cause) {
      if (cause instanceof Failure) throw cause
      throw unavailable(id, `no agent answers at "${path}" (${errnoOf(cause) ?? 'it failed'})`, cause)
    }
  }

  async close(): Promise<void> {
    for (const started of this.#started.values()) {
      const agent = await started.catch(() => {
        // it never ran, which whoever opened it has been told
      })
      await agent?.close()
    }
  }

  #keyAgent(id: string, key: string): Promise<KeyAgent> {
    const started = this.#started.get(id) ?? startAgent(id, key)
    this.#started.set(id, started)
    return started
  }
}

interface KeyAgent {
  readonly socket: string
  close(): Promise<void>
}

/** OpenSSH's own programs, in a folder that only this user can enter. */
async function startAgent(id: string, key: string): Promise<KeyAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'tscompose-ssh-'))
  const socket = join(folder, 'agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
  const close = async () => {
    const runs = agent.pid !== undefined && agent.exitCode === null && agent.signalCode === null
    const ended = runs ? once(agent, 'exit') : undefined
    agent.kill()
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    // it says where it listens once it does
    await Promise.race([once(agent.stdout, 'data'), failed(agent)])
    agent.stdout.resume()
    // nobody is asked for a passphrase: a key that has one belongs into an agent
    const env = { PATH: process.env['PATH'], SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' }
    const add = spawn('ssh-add', ['-q', key], { stdio: ['ignore', 'ignore', 'pipe'], env, detached: true })
    const [said, [code]] = await Promise.all([text(add.stderr), once(add, 'close')])
    if (code !== 0)
      throw unavailable(
        id,
        `key "${key}" cannot be used: ${said.trim().split('\n').at(-1) || `ssh-add ended with ${code}`}`,
      )
    return { socket, close }
  } catch (error) {
    await close()
    if (error instanceof Failure) throw error
    throw unavailable(id, `ssh-agent or ssh-add cannot be run (${errnoOf(error) ?? 'it failed'})`, error)
  }
}

async function failed(agent: ChildProcess): Promise<never> {
  const [code] = (await once(agent, 'exit')) as [number | null]
  throw new Error(`it ended with ${code}`)
}

function unavailable(id: string, why: string, cause?: unknown): Failure {
  return new Failure('unavailable', `Cannot forward SSH agent "${id}": ${why}`, { cause })
}
