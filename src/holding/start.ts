/** Starts the keeper: as a companion of an engine of ours, otherwise by itself, detached, with what starts it again when it dies. */
import { spawn } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../api/endpoints.ts'
import { type KeeperStatus, keeperEndpoints, keeperVersion } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { parseHost } from '../client/host.ts'
import { keeperAllocation, keeperFlags } from '../installation/node-flags.ts'
import { ownProgram } from '../installation/own-program.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import { engineFolder, stateRoot } from '../state/folder.ts'
import { passedOn } from './environment.ts'
import { askKeeper, type FoundKeeper, hasCompanions, isOutdated } from './keeper.ts'
import { keeperSocket, type PlaceOf } from './place.ts'
import { supervised } from './supervisor.ts'

export interface KeeperStart extends PlaceOf {
  /** The engine at `host`. */
  readonly engine: Client
  /** Program and first arguments; tests start another one. */
  readonly program?: readonly string[]
  /** Told of the version of one that has made room. */
  replaces?(version: string): void
}

/** The name under which the engine knows it. */
export const keeperName = 'keeper'

/** How long it may take to listen, in milliseconds. */
const patience = 15_000

/**
 * A client of the keeper, which is started when there is none; one of an older contract makes room, and its records are the next one's.
 * @throws Failure `unavailable` when it does not come up
 */
export async function ensureKeeper(start: KeeperStart): Promise<Client> {
  const found = await askKeeper(start)
  if (found && !isOutdated(found.status)) return found.client
  const socket = keeperSocket(start)
  if (socket === undefined)
    throw new Failure('invalid', 'Cannot tell where the keeper listens: XDG_RUNTIME_DIR is not set', {
      hint: 'Set XDG_RUNTIME_DIR to a folder of this user, as a login does',
    })
  if (parseHost(start.host).kind !== 'unix')
    throw new Failure('unsupported', `A keeper holds stacks of an engine of this machine, not of "${start.host}"`)
  // its folder may be the engine's own, which others may pass through
  mkdirSync(dirname(socket), { recursive: true, mode: 0o711 })
  const asCompanion = await hasCompanions(start.engine)
  const command = keeperCommand({ ...start, socket }, [asCompanion ? '--companion' : '--supervised'])
  const environment = keeperEnvironment(start)
  const log = asCompanion ? 'the engine' : 'the keeper beside its socket'
  if (asCompanion) {
    const Environment = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    const body = { Command: command, Environment, Starts: [] }
    // another program takes the place of the one before
    await start.engine.call(endpoints.companionPut, { params: { name: keeperName }, body })
  }
  if (found) {
    await leave(found)
    start.replaces?.(found.status.Version)
  }
  if (!asCompanion) startDetached(supervised(command), { environment, log: `${socket.replace(/\.sock$/, '')}.log` })
  return await upKeeper(start, { before: found?.status, socket, log })
}

/** Has one that is older end, where it has not: an engine starts its companion again, in the form that lies in its place now. */
async function leave({ client }: FoundKeeper): Promise<void> {
  try {
    await client.call(keeperEndpoints.keeperStop, {})
  } catch (error) {
    // it has gone already
    if (!isFailure(error, 'unavailable')) throw error
  } finally {
    client.close()
  }
}

interface Awaited {
  /** The one that was there. */
  readonly before: KeeperStatus | undefined
  readonly socket: string
  /** Whose log tells why it does not come up. */
  readonly log: string
}

async function upKeeper(start: KeeperStart, { before, socket, log }: Awaited): Promise<Client> {
  const deadline = Date.now() + patience
  for (;;) {
    // no event tells that a socket of another process listens
    await pause(20)
    const found = await askKeeper(start)
    if (found && !isOutdated(found.status)) return found.client
    found?.client.close()
    if (found && found.status.Pid !== before?.Pid)
      throw new Failure(
        'unsupported',
        `Cannot use the keeper at "${socket}": its contract is ${found.status.Version}, that of this tscompose ${keeperVersion}`,
        { hint: 'Another, older tscompose has started it again: bring that up to date' },
      )
    if (Date.now() > deadline)
      throw new Failure('unavailable', `Cannot start the keeper: nothing listens at "${socket}"`, {
        hint: `See the log of ${log}`,
      })
  }
}

/** Program and arguments. */
export function keeperCommand(
  {
    host,
    env,
    uid,
    socket,
    program = ownProgram('keeper', keeperFlags),
  }: Omit<KeeperStart, 'engine'> & { readonly socket: string },
  more: readonly string[] = [],
): readonly string[] {
  const state = engineFolder({ host, env, ...(uid === undefined ? {} : { uid }) })
  const words = ['--host', host, '--socket', socket, '--state', state, ...more]
  return [...program, ...words]
}

/** What it sees of the caller's environment: beside an engine's, where credentials for registries are. */
export function keeperEnvironment({ env, uid }: Pick<PlaceOf, 'env' | 'uid'>): Record<string, string> {
  const { DOCKER_CONFIG } = env
  return {
    ...passedOn(env),
    ...keeperAllocation,
    ...(DOCKER_CONFIG === undefined ? {} : { DOCKER_CONFIG }),
    // beside an engine without root rights it takes itself for root
    ...((uid ?? process.geteuid?.()) === 0 ? {} : { TSCOMPOSE_STATE: stateRoot({ env, uid }) }),
  }
}

function startDetached(
  [path, ...args]: readonly string[],
  { environment, log }: { readonly environment: Record<string, string>; readonly log: string },
): void {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  const file = openSync(log, flags, 0o600)
  try {
    const child = spawn(path!, args, {
      detached: true,
      cwd: '/',
      env: environment,
      stdio: ['ignore', file, file],
    })
    // whether it has come up its socket tells
    child.on('error', () => undefined)
    child.unref()
  } finally {
    closeSync(file)
  }
}
