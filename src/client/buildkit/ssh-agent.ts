/** The SSH agent that a build may use: the user's own, or one that knows the keys of a file and nothing else. */
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { errnoOf, Failure } from '../../lib/failure.ts'

/** A connection to the agent behind a socket. @throws Failure `not-found` without one */
export async function openAgent(path: string | undefined, id: string): Promise<Duplex> {
  if (!path)
    throw new Failure('not-found', `Cannot forward SSH agent "${id}": SSH_AUTH_SOCK is not set`, {
      hint: 'Start an agent with "eval $(ssh-agent)", or name its socket with "ssh"',
    })
  try {
    if (!(await stat(path)).isSocket())
      throw new Failure('unsupported', `Cannot forward SSH agent "${id}": "${path}" is no socket of an agent`)
    const socket = connect(path)
    await once(socket, 'connect')
    return socket
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure(
      'unavailable',
      `Cannot forward SSH agent "${id}": no agent answers at "${path}" (${errnoOf(cause) ?? 'it failed'})`,
      {
        cause,
      },
    )
  }
}
