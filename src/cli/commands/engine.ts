/** The engine in the foreground: for service managers, and for watching it. */
import { spawn } from 'node:child_process'
import { ownProgram } from '../../installation/own-program.ts'
import { Failure } from '../../lib/failure.ts'
import { userEngineCommand } from '../../rootless/engine-command.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'

export const engine = command({
  usage: '[OPTIONS]',
  about:
    'Other commands start one in the background when none is there. Containers run on when it ends, and the next one takes them over.',
  options: {
    socket: { kind: 'text', value: 'PATH', about: 'Where to listen (default /run/tscompose/engine.sock)' },
    group: {
      kind: 'text',
      value: 'GROUP',
      about: 'Who may use the socket besides root; they are as good as root then',
    },
    listen: { kind: 'list', value: 'tcp://HOST:PORT', about: 'Listen on TCP too' },
    tlscacert: { kind: 'text', value: 'FILE', names: 'file', about: 'Authority that signs for clients on TCP' },
    tlscert: { kind: 'text', value: 'FILE', names: 'file', about: "The engine's own certificate on TCP" },
    tlskey: { kind: 'text', value: 'FILE', names: 'file', about: 'The key of that certificate' },
    'insecure-tcp': { kind: 'flag', about: 'Listen on TCP without TLS: whoever reaches the port is root here' },
    pool: { kind: 'list', value: 'CIDR', about: 'Addresses for networks; repeat for several' },
    config: { kind: 'text', value: 'FILE', about: 'Settings (default /etc/tscompose/engine.yaml)' },
    'registry-mirror': {
      kind: 'list',
      value: '[HOST=]URL',
      about: 'Asked before the registry itself; repeat for several',
    },
    'insecure-registry': { kind: 'list', value: 'HOST[:PORT]|CIDR', about: 'May be spoken to without TLS' },
    'build-cache': {
      kind: 'text',
      value: 'SIZE',
      about: 'What builds may keep for the next ones, such as 10GB (default: a tenth of the disk)',
    },
    'userns-mode': {
      kind: 'text',
      value: 'MODE',
      about:
        'User namespace of containers that say nothing: host (default), or auto, ids of their own for each project',
    },
    'storage-driver': {
      kind: 'text',
      value: 'overlay2|vfs',
      about: 'Roots by overlay, or as whole copies (default: overlay where the data folder takes it)',
    },
    'log-driver': {
      kind: 'text',
      value: 'NAME',
      about: 'Of containers that name none (default json-file, three files of 10 MB)',
    },
    'log-opt': { kind: 'list', value: 'NAME=VALUE', about: 'An option of that driver; repeat for several' },
    'data-root': { kind: 'text', value: 'DIR', about: 'Images, volumes, containers (default /var/lib/tscompose)' },
    'run-root': { kind: 'text', value: 'DIR', about: 'Sockets and what a reboot may take (default /run/tscompose)' },
    'netns-root': { kind: 'text', value: 'DIR', about: 'Network namespaces (default /run/netns)' },
  },
  examples: [
    ['sudo tscompose engine --group docker', 'who is of that group may use it'],
    ['sudo tscompose engine --pool 10.99.0.0/16', 'networks get addresses of these'],
  ],
  async run({ options, args, env, interrupts, screen }) {
    if (args.length > 0)
      throw usage(`"engine" takes no "${args[0]}"`, 'It is "engine", "engine status", "engine check" or "engine stop"')
    const words = Object.entries(options).flatMap(([name, value]) => {
      if (typeof value === 'boolean') return value ? [`--${name}`] : []
      return (typeof value === 'string' ? [value] : (value ?? [])).map(each => `--${name}=${each}`)
    })
    const [path, ...first] = ownProgram('engine')
    // Node closes what it was started with when it becomes another program (uv_disable_stdio_inheritance)
    if (env['LISTEN_PID'] === String(process.pid))
      throw new Failure('unsupported', 'Cannot hand the socket of a socket unit on to the engine', {
        hint: `Start it by itself: ${[path, ...first].join(' ')}`,
      })
    const own: readonly [string, ...string[]] = [path, ...first, ...words]
    const [program, ...argv] =
      process.getuid?.() === 0 ? own : await userEngineCommand({ env, command: own, say: line => screen.say(line) })
    // Becomes it: one process, so that whoever ends or watches this one ends and watches the engine.
    process.execve?.(program, [program, ...argv])
    // A Node without execve: the engine is another process, which gets what this one is sent.
    const child = spawn(program, argv, { stdio: 'inherit' })
    // ^C reaches it by the terminal; what reaches only us is passed on. Either way its end is ours.
    using _taken = interrupts.take(() => child.kill('SIGTERM'))
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', code => resolve(code ?? 1))
    })
  },
})
