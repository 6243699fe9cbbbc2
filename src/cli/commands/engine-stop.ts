/** Ends the engine behind a socket in order; its containers run on, or are stopped before. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { systemEndpoints } from '../../api/system.ts'
import { answers } from '../../client/answers.ts'
import { chooseHost, parseHost } from '../../client/host.ts'
import { isOwnProgram } from '../../installation/own-program.ts'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { plural } from '../../lib/text.ts'
import { command } from '../command.ts'
import { stopContainers } from '../stop-containers.ts'

export const engineStop = command({
  usage: '[OPTIONS]',
  options: {
    containers: { kind: 'flag', about: 'Stop all containers first, each within its grace period' },
  },
  examples: [
    ['sudo tscompose engine stop', 'containers run on; the next engine takes them over'],
    ['sudo tscompose engine stop --containers', 'nothing runs any more: before the program is removed'],
  ],
  async run({ globals, screen, env, signal, options, connect: reach }) {
    const { host, tls } = chooseHost(globals.host, env)
    const place = parseHost(host, tls)
    if (place.kind !== 'unix')
      throw new Failure('unsupported', `Cannot stop the engine at "${host}": only one behind a socket of this machine`)
    const client = options.containers ? await reach() : undefined
    if (!(await answers(place.path))) {
      if (!client) return screen.say(`No engine at ${host}`)
      // only an engine knows what runs: the first call starts it
      await client.call(systemEndpoints.version, {}, { signal })
    }
    const pid = await listenerOf(place.path)
    if (pid === undefined)
      throw new Failure('denied', `Cannot stop the engine at "${host}": its process cannot be seen`, {
        hint: 'Run the command with sudo',
      })
    if (!(await isEngine(pid)))
      throw new Failure('denied', `Cannot stop the engine at "${host}": process ${pid} is no engine of ours`)
    if (client) {
      const count = await stopContainers(client, signal)
      screen.say(`Stopped ${plural(count, 'container')}`)
    }
    // The end of a connection of ours is the end of the engine: nothing to ask again and again.
    const line = connect({ path: place.path })
    const ended = new Promise<void>((resolve, reject) => {
      line.once('close', () => resolve())
      signal.addEventListener('abort', () => reject(new Failure('cancelled', 'The engine is still about to stop')))
    })
    line.on('error', () => undefined)
    line.resume()
    process.kill(pid, 'SIGTERM')
    await ended
    screen.say(`Engine at ${host} stopped`)
  },
})

/** The process that listens on the socket: in our own network namespace, or in that of an engine without root rights. */
async function listenerOf(path: string): Promise<number | undefined> {
  const found = await listenerIn('/proc/net/unix', path)
  if (found !== undefined) return found
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    if (!(await isEngine(pid))) continue
    const listener = await listenerIn(`/proc/${pid}/net/unix`, path)
    if (listener !== undefined) return listener
  }
  return undefined
}

async function isEngine(pid: number | string): Promise<boolean> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(passing(''))
  return isOwnProgram(words.split('\0'), 'engine', await targetOf(`/proc/${pid}/cwd`))
}

/** By the inode of the socket in a table of /proc, and whoever has that open. */
async function listenerIn(table: string, path: string): Promise<number | undefined> {
  const row = (await readFile(table, 'utf8').catch(passing('')))
    .split('\n')
    .map(line => /^\S+: \S+ \S+ (\S+) \S+ \S+ +(\d+) (.*)$/.exec(line))
    // 00010000: it listens
    .find(match => match?.[1] === '00010000' && match[3] === path)
  if (!row) return undefined
  const wanted = `socket:[${row[2]}]`
  let holder: number | undefined
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name)))
    for (const fd of await descriptors(pid)) {
      if ((await targetOf(`/proc/${pid}/fd/${fd}`)) !== wanted) continue
      // systemd has it open too, where it was the one that listened first
      if (await isEngine(pid)) return Number(pid)
      holder ??= Number(pid)
    }
  return holder
}

async function descriptors(pid: string): Promise<readonly string[]> {
  return readdir(`/proc/${pid}/fd`).catch(passing([]))
}

async function targetOf(link: string): Promise<string> {
  return readlink(link).catch(passing(''))
}

/** Processes and descriptors come and go while one looks, and those of others are not ours to see. */
function passing<T>(instead: T): (error: unknown) => T {
  return error => {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return instead
    throw error
  }
}
