/** A command in a container that runs; its exit code is ours. */
import { endpoints } from '../../api/endpoints.ts'
import { Failure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { given } from '../given-variables.ts'
import { replicaOf } from '../replicas.ts'
import { join } from '../terminal.ts'
import { chooseTty } from '../tty.ts'
import { withEnvFiles } from '../variables.ts'

export const exec = command({
  usage: '[OPTIONS] SERVICE COMMAND [ARG...]',
  about: 'With a terminal at hand it gets one; ctrl-p ctrl-q leaves it running and comes back.',
  words: [2, Infinity],
  passthrough: true,
  options: {
    detach: { kind: 'flag', short: 'd', about: 'Do not wait for it' },
    env: {
      kind: 'list',
      short: 'e',
      value: 'NAME=VALUE',
      about: 'Set a variable; NAME alone takes the value from here or the env file',
    },
    index: { kind: 'number', value: 'N', about: 'Which replica (default: the first that runs)' },
    interactive: { kind: 'flag', short: 'i', about: 'Pass on standard input (always so)' },
    'no-tty': { kind: 'flag', either: true, also: ['no-TTY'], short: 'T', about: 'No terminal' },
    tty: { kind: 'flag', short: 't', about: 'A terminal, which is what happens at one anyway' },
    privileged: { kind: 'flag', about: 'With all rights' },
    user: { kind: 'text', short: 'u', value: 'USER', about: 'As this user: NAME, UID, NAME:GROUP' },
    workdir: { kind: 'text', short: 'w', value: 'DIR', about: 'Start in this folder' },
  },
  examples: [
    ['tscompose exec web sh', 'a shell'],
    ['tscompose exec -T db pg_dump shop > shop.sql', 'data out of a container'],
  ],
  async run(call) {
    const { options, screen, stdin, signal } = call
    const [service, ...words] = call.args as [string, ...string[]]
    const tty = chooseTty(screen, {
      // -t says nothing here, as with Compose: scripts write -it by habit
      asked: options['no-tty'] === undefined ? undefined : !options['no-tty'],
      interactive: true,
      detach: options.detach,
    })
    const isBare = options.env.some(each => !each.includes('='))
    const variables = given(options.env, isBare ? await withEnvFiles(call.env, call.globals, call.cwd) : call.env)
    const { client, one } = await replicaOf(call, service, options.index)
    const size =
      tty && screen.stdout.rows && screen.stdout.columns ? [screen.stdout.rows, screen.stdout.columns] : undefined
    const { Id: id } = await client.call(
      endpoints.execCreate,
      {
        params: { id: one.Id },
        body: {
          AttachStdin: !options.detach,
          AttachStdout: !options.detach,
          AttachStderr: !options.detach,
          Tty: tty,
          ...(size ? { ConsoleSize: size } : {}),
          Cmd: words,
          Env: [...variables],
          ...(options.user === undefined ? {} : { User: options.user }),
          ...(options.workdir === undefined ? {} : { WorkingDir: options.workdir }),
          ...(options.privileged ? { Privileged: true } : {}),
        },
      },
      { signal },
    )
    if (options.detach) {
      await client.call(endpoints.execStart, { params: { id }, body: { Detach: true } }, { signal })
      return 0
    }
    const body = { Tty: tty, ...(size ? { ConsoleSize: size } : {}) }
    const session = await client.hijack(endpoints.execStart, { params: { id }, body }, { signal })
    const how = await join({
      session,
      screen,
      stdin,
      resize: (h, w) => client.call(endpoints.execResize, { params: { id }, query: { h: String(h), w: String(w) } }),
    })
    if (how === 'detached') return 0
    const { ExitCode: code } = await client.call(endpoints.execInspect, { params: { id } }, { signal })
    if (code === null) throw new Failure('internal', 'Cannot tell how the command ended: the engine says that it runs')
    return code
  },
})
