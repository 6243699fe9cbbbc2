/** A command in a container of its own, made from a service; its exit code is ours. */
import { endpoints } from '../../api/endpoints.ts'
import type { Client } from '../../client/client.ts'
import { Failure, isFailure } from '../../lib/failure.ts'
import { newId } from '../../lib/ids.ts'
import { applyPlan } from '../apply-plan.ts'
import { type Call, command } from '../command.ts'
import { givenOrRead } from '../given-variables.ts'
import { usage } from '../options.ts'
import { checkOwner } from '../owner.ts'
import { checkServices, loadProject } from '../project.ts'
import { oneOffService, withMounts } from '../run-options.ts'
import { join } from '../terminal.ts'
import { chooseTty } from '../tty.ts'
import { isTruth } from '../values.ts'

const options = {
  detach: { kind: 'flag', short: 'd', about: 'Return at once, and print the id of the container' },
  rm: { kind: 'flag', about: 'Remove the container when it has ended' },
  env: { kind: 'list', short: 'e', value: 'NAME=VALUE', about: 'Set a variable; NAME alone takes the value from here' },
  'env-from-file': { kind: 'list', value: 'FILE', about: 'Set variables from an env file, where --env does not' },
  volume: {
    kind: 'list',
    also: ['volumes'],
    short: 'v',
    value: 'SOURCE:TARGET',
    about: 'Mount a folder of here or a volume',
  },
  publish: { kind: 'list', short: 'p', value: '[PORT:]PORT', about: 'Publish a port' },
  'service-ports': { kind: 'flag', short: 'P', about: 'Publish the ports of the service' },
  name: { kind: 'text', value: 'NAME', about: 'What to call the container' },
  entrypoint: { kind: 'text', value: 'COMMAND', about: 'Instead of the entrypoint of the image' },
  user: { kind: 'text', short: 'u', value: 'USER', about: 'As this user: NAME, UID, NAME:GROUP' },
  workdir: { kind: 'text', short: 'w', value: 'DIR', about: 'Start in this folder' },
  label: { kind: 'list', also: ['labels'], short: 'l', value: 'NAME=VALUE', about: 'Add a label' },
  'cap-add': { kind: 'list', value: 'CAPABILITY', about: 'Add a capability' },
  'cap-drop': { kind: 'list', value: 'CAPABILITY', about: 'Drop a capability' },
  'no-tty': { kind: 'flag', either: true, also: ['no-TTY'], short: 'T', about: 'No terminal' },
  tty: { kind: 'flag', either: true, short: 't', about: 'A terminal, which is what happens at one anyway' },
  interactive: { kind: 'flag', short: 'i', on: true, about: 'Pass on standard input (default; -i=false does not)' },
  'no-deps': { kind: 'flag', about: 'Do not start what the service depends on' },
  'use-aliases': { kind: 'flag', about: 'Answer to the name of the service in its networks' },
  'remove-orphans': {
    kind: 'flag',
    variable: 'COMPOSE_REMOVE_ORPHANS',
    about: 'Remove containers of services the stack no longer has',
  },
  pull: {
    kind: 'text',
    value: 'WHEN',
    choices: ['always', 'missing', 'never', 'policy'],
    about: 'When to pull the image',
  },
  'quiet-pull': { kind: 'flag', about: 'Pull without showing how far it is' },
  quiet: { kind: 'flag', short: 'q', about: 'Show nothing but what the command prints' },
  build: { kind: 'flag', about: 'Build images that are here too' },
  'quiet-build': { kind: 'flag', about: 'Build without showing the steps' },
} as const

export const run = command({
  usage: '[OPTIONS] SERVICE [COMMAND] [ARG...]',
  about: 'Starts what the service depends on first. With a terminal at hand the command gets one.',
  words: [1, Infinity],
  passthrough: true,
  options,
  examples: [
    ['tscompose run --rm web sh', 'a shell like the one web has'],
    ['tscompose run --rm -T db psql < dump.sql', 'data into a command'],
  ],
  async run(call) {
    const { options: values, screen, signal } = call
    const [name, ...words] = call.args as [string, ...string[]]
    const quiet = values.quiet ? { ...call, globals: { ...call.globals, progress: 'quiet' } } : call
    const [{ project, environment }, client, { createOneOff }] = await Promise.all([
      loadProject(call, { services: [name], making: { services: [name], alone: values['no-deps'] } }),
      call.connect(),
      import('../../targets/engine/converge.ts'),
    ])
    checkServices([name], Object.keys(project.services))
    if (values.tty !== undefined && values['no-tty'] !== undefined)
      throw usage("--tty and --no-TTY can't be used together")
    const tty = chooseTty(screen, {
      asked: values.tty ?? (values['no-tty'] === undefined ? undefined : !values['no-tty']),
      interactive: values.interactive,
      detach: values.detach,
    })
    const service = oneOffService(project.services[name]!, {
      command: words,
      entrypoint: values.entrypoint,
      env: await givenOrRead(values.env, values['env-from-file'], environment),
      labels: values.label,
      user: values.user,
      workdir: values.workdir,
      capAdd: values['cap-add'],
      capDrop: values['cap-drop'],
      servicePorts: values['service-ports'],
      tty,
      // detached too: whoever attaches later finds it open
      interactive: values.interactive,
    })
    const created = await createOneOff({
      client,
      project,
      signal,
      accept: observed =>
        checkOwner(call, observed, {
          host: client.host,
          project,
          adopt: undefined,
          verb: 'run a command in',
          otherwise: 'bring this one up beside it with "tscompose up --isolated"',
        }),
      carryOut: async plan => {
        if (!plan.empty) await applyPlan(quiet, { plan, client, stack: project, nothing: '' })
      },
      noDeps: values['no-deps'],
      build: values.build,
      dryRun: call.globals['dry-run'],
      removeOrphans: values['remove-orphans'],
      quietOrphans: isTruth(call.env['COMPOSE_IGNORE_ORPHANS'] ?? ''),
      oneOff: {
        service,
        slug: newId(),
        name: values.name,
        useAliases: values['use-aliases'],
        pull: values.pull === undefined || values.pull === 'policy' ? undefined : (values.pull as 'always'),
        change: body =>
          withMounts(body, {
            volumes: values.volume,
            publish: values.publish,
            remove: values.rm,
            cwd: call.cwd,
            interactive: values.interactive,
            detach: values.detach,
          }),
      },
    })
    if (call.globals['dry-run']) return 0
    if (!values.detach)
      return await follow(call, client, {
        name: created,
        remove: values.rm,
        tty,
        interactive: values.interactive,
      })
    const params = { id: created }
    const { Id: id } = await client.call(endpoints.containerInspect, { params }, { signal })
    await client.call(endpoints.containerStart, { params }, { signal })
    screen.print(id)
    return 0
  },
})

interface Started {
  readonly name: string
  readonly remove: boolean
  readonly tty: boolean
  /** Whether it gets what we are given. */
  readonly interactive: boolean
}

/** Attaches, waits and starts, in this order: nothing it prints and no end of it is missed. */
async function follow(call: Call, client: Client, started: Started): Promise<number> {
  const { name, tty, interactive } = started
  const params = { id: name }
  const { session, waiting } = await attachAndStart(client, started).catch(async error => {
    // the engine removes only what has run
    if (started.remove) await removed(client, name)
    throw error
  })
  // ^C is meant for the command; when it does not care, the second one ends it
  using _taken = call.interrupts.take(count => {
    client
      .call(endpoints.containerKill, { params, query: { signal: count === 1 ? 'SIGINT' : 'SIGKILL' } })
      .catch((error: unknown) => {
        // it has ended by itself in the meantime
        if (!isFailure(error)) throw error
      })
  })
  const how = await join({
    session,
    screen: call.screen,
    stdin: interactive ? call.stdin : undefined,
    ...(tty
      ? {
          resize: (h: number, w: number) =>
            client.call(endpoints.containerResize, { params, query: { h: String(h), w: String(w) } }),
        }
      : {}),
  })
  if (how === 'detached') return 0
  for await (const { StatusCode: code, Error: error } of waiting) {
    if (error) throw new Failure('internal', `Cannot wait for "${name}": ${error.Message}`)
    return code
  }
  throw new Failure('internal', `Cannot wait for "${name}": the engine ended the wait without an answer`)
}

async function attachAndStart(client: Client, { name, remove, interactive }: Started) {
  const params = { id: name }
  const session = await client.hijack(endpoints.containerAttach, {
    params,
    query: { stream: true, stdin: interactive, stdout: true, stderr: true },
  })
  const waiting = await client.stream(endpoints.containerWait, {
    params,
    query: { condition: remove ? 'removed' : 'next-exit' },
  })
  await client.call(endpoints.containerStart, { params })
  return { session, waiting }
}

/** As far as that is still possible: why it is to go is what the user has to know. */
async function removed(client: Client, name: string): Promise<void> {
  await client
    .call(endpoints.containerRemove, { params: { id: name }, query: { force: true, v: true } })
    .catch(error => {
      if (!isFailure(error)) throw error
    })
}
