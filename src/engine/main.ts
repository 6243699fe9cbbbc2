/** The daemon: flags, lock, build, listen; containers run on when it ends. */
import { closeSync, lstatSync, writeSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { withSources } from '../installation/source-places.ts'
import { Failure, isFailure, messageOf } from '../lib/failure.ts'
import { Aside } from './base/aside.ts'
import { defaultRoots, Paths } from './base/paths.ts'
import { ensureDirectory } from './base/store.ts'
import { defaultSettings } from './images/registry/settings.ts'
import { inheritedSocket, listenersOf } from './server/listeners.ts'
import { loadSettings } from './settings/find.ts'

const options = {
  socket: { type: 'string' },
  listen: { type: 'string', multiple: true },
  'insecure-tcp': { type: 'boolean' },
  'data-root': { type: 'string' },
  'run-root': { type: 'string' },
  'netns-root': { type: 'string' },
  pool: { type: 'string', multiple: true },
  group: { type: 'string' },
  tlscacert: { type: 'string' },
  tlscert: { type: 'string' },
  tlskey: { type: 'string' },
  config: { type: 'string' },
  'registry-mirror': { type: 'string', multiple: true },
  'insecure-registry': { type: 'string', multiple: true },
  'build-cache': { type: 'string' },
  'userns-mode': { type: 'string' },
  'storage-driver': { type: 'string' },
  'log-driver': { type: 'string' },
  'log-opt': { type: 'string', multiple: true },
  'check-settings': { type: 'boolean' },
  'ready-fd': { type: 'string' },
  'port-relay': { type: 'string' },
} as const

type Flags = ReturnType<typeof readFlags>

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values
  } catch (cause) {
    throw new Failure('invalid', `Cannot start the engine: ${messageOf(cause)}`, { cause })
  }
}

async function main(): Promise<void> {
  // Everything the engine makes is its own alone, unless it says otherwise.
  process.umask(0o077)
  const flags = readFlags(process.argv.slice(2))
  if (flags['check-settings']) {
    const { checkSettings } = await import('./settings/check.ts')
    process.stdout.write(`${checkSettings(flags.config, process.env)}\n`)
    return
  }
  const ready = flags['ready-fd'] === undefined ? undefined : Number(flags['ready-fd'])
  try {
    const close = await run(flags)
    const end = (signal: NodeJS.Signals) => {
      say(`ends on ${signal}; containers run on`)
      process.off('SIGTERM', end)
      process.off('SIGINT', end)
      close().then(
        () => process.exit(0),
        error => {
          say(`Cannot end in order: ${messageOf(error)}`)
          process.exit(1)
        },
      )
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
    // a terminal that goes away takes nobody with it
    process.on('SIGHUP', () => undefined)
    if (ready !== undefined) report(ready, 'ready')
  } catch (error) {
    if (ready !== undefined)
      report(
        ready,
        JSON.stringify({
          kind: isFailure(error) ? error.kind : 'internal',
          message: messageOf(error),
          ...(isFailure(error) && error.hint && { hint: error.hint }),
        }),
      )
    throw error
  }
}

async function run(given: Flags): Promise<() => Promise<void>> {
  if (process.getuid?.() !== 0)
    throw new Failure('denied', 'Cannot start the engine: it needs root rights', { hint: 'Run it with sudo' })
  // those of the machine are of root's engine
  const file = await loadSettings(given.config, given['port-relay'] === undefined ? undefined : [])
  // a flag is more than a line of the file
  const flags = { ...file, ...given }
  const roots = {
    data: flags['data-root'] ?? defaultRoots.data,
    run: flags['run-root'] ?? defaultRoots.run,
    netns: flags['netns-root'] ?? defaultRoots.netns,
  }
  const paths = new Paths(roots)
  const aside = new Aside(paths, say)
  await aside.folder(roots.run)
  // Compiled code is kept where only root writes: Node's own choice is a shared folder, from where others' code could be run.
  if (!process.env['NODE_COMPILE_CACHE']) enableCompileCache(join(roots.run, 'code'))
  const { lockFile, unread } = await import('../runtime/native.ts')
  const lock = lockFile(freePlace(aside, paths.lock))
  if (!lock)
    throw new Failure('conflict', `Cannot start the engine: another one uses "${roots.run}"`, {
      hint: 'Stop it first, or give this one roots of its own by --data-root and --run-root',
    })
  const [{ createEngine }, { partsOf }, { release }, { serve }, { handlersOf }, { decodeRegistryAuth }, { Tidy }] =
    await Promise.all([
      import('./engine.ts'),
      import('./settings/effective.ts'),
      import('../installation/release.ts'),
      import('./server/server.ts'),
      import('./server/handlers.ts'),
      import('./images/auth.ts'),
      import('./base/tidy.ts'),
    ])
  const engine = await createEngine({
    roots,
    ...partsOf(given, file, { env: process.env, defaults: defaultSettings }),
    relay: given['port-relay'],
    say,
  })
  try {
    const socket = flags.socket ?? paths.socket
    const listeners = listenersOf({ ...flags, socket, inherited: inheritedSocket(process.env, process.pid) })
    await ensureDirectory(dirname(socket))
    const tidy = new Tidy()
    engine.events.listen(tidy.after)
    const server = await serve({
      listeners,
      onDone: tidy.after,
      handlers: handlersOf(engine, decodeRegistryAuth),
      serverVersion: release,
      unread,
      mostOperations: file['max-operations'],
      onProblem: say,
    })
    for (const [i, { address }] of server.sockets.entries()) {
      const isOpen = listeners[i]?.kind === 'tcp' && !listeners[i].tls
      say(`listens on ${address}${isOpen ? ', without TLS: whoever reaches it is root on this host' : ''}`)
    }
    engine.companions.start()
    tidy.after()
    return async () => {
      tidy.close()
      // they may need an answer to end in order
      await engine.companions.close()
      await server.close()
      await engine.close()
      lock.release()
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** A lock is a file: whatever else stands there is kept aside. */
function freePlace(aside: Aside, path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false)
    aside.keep(path, `Cannot lock "${path}": it is no file`)
  return path
}

/** One line for whoever started us. */
function report(fd: number, line: string): void {
  try {
    writeSync(fd, `${line}\n`)
    closeSync(fd)
  } catch (error) {
    say(`nobody waits to hear "${line}": ${messageOf(error)}`)
  }
}

/** One line of the engine's log. */
function say(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${withSources(line)}\n`)
}

/** Runs it as this process's own program. */
export function start(): void {
  // A log that cannot be written, on a full disk say, must not end the engine.
  process.stderr.on('error', () => undefined)
  process.on('uncaughtException', error => {
    say(`defect: ${error.stack ?? error.message}`)
    process.exit(1)
  })
  main().catch(error => {
    say(messageOf(error))
    if (isFailure(error) && error.hint) say(`hint: ${error.hint}`)
    process.exit(isFailure(error, 'invalid') ? 2 : 1)
  })
}

if (import.meta.main) start()
