/** Makes what runs what the stack says, and shows its output. */
import { Failure } from '../../lib/failure.ts'
import type { Project } from '../../model/project.ts'
import { attach } from '../attach.ts'
import { bringUp, pushOption, refusePush, upOptions, type Wanted, wantedOf } from '../bring-up.ts'
import { command } from '../command.ts'
import { usage, type Values } from '../options.ts'
import { checkServices } from '../project.ts'

const options = {
  detach: { kind: 'flag', short: 'd', about: 'Return when everything is started' },
  ...upOptions,
  ...pushOption,
  'no-start': { kind: 'flag', about: 'Create only' },
  wait: { kind: 'flag', about: 'Return when everything is running and healthy' },
  'wait-timeout': { kind: 'number', value: 'SECONDS', about: 'Give up waiting after SECONDS' },
  'abort-on-container-exit': { kind: 'flag', about: 'Stop everything when a container ends' },
  'abort-on-container-failure': { kind: 'flag', about: 'Stop everything when a container fails' },
  'exit-code-from': { kind: 'text', value: 'SERVICE', about: 'End when SERVICE ends, with its exit code' },
  attach: { kind: 'list', value: 'SERVICE', about: 'Show the output of this service only; repeat for several' },
  'attach-dependencies': { kind: 'flag', about: 'Show the output of what the named services depend on too' },
  'no-attach': { kind: 'list', value: 'SERVICE', about: 'Do not show the output of this service' },
  'no-color': { kind: 'flag', about: 'Prefixes without colours' },
  'no-log-prefix': { kind: 'flag', about: 'Output as it is, without whose it is' },
  timestamps: { kind: 'flag', about: 'Show when each line was printed' },
  snapshot: { kind: 'flag', about: 'Take a snapshot before the image of a service that has volumes changes' },
  'quiet-pull': { kind: 'flag', about: 'Pull without showing how far it is' },
  yes: { kind: 'flag', short: 'y', about: 'Do not ask' },
  watch: { kind: 'flag', short: 'w', about: 'Follow the files of the stack, and the sources by develop.watch' },
  menu: {
    kind: 'flag',
    variable: 'COMPOSE_MENU',
    about:
      'Say which keys there are: w watches and ends that, d detaches; those of Docker Desktop say why they do nothing',
  },
} as const

export const up = command({
  usage: '[OPTIONS] [SERVICE...]',
  about:
    'Compares the stack with what runs and changes what differs; a second up changes nothing. ^C stops, twice kills.',
  options,
  examples: [
    ['tscompose up -d', 'start in the background'],
    ['tscompose up -d --scale web=3', 'three replicas of web'],
    ['tscompose up --dry-run', 'show what would be done, and why'],
    ['tscompose up --exit-code-from test', 'run the tests of a stack'],
    ['tscompose --annotations github up --wait --wait-timeout 60', 'in a CI: why a service is not ready, and where'],
  ],
  async run(call) {
    const { options: values } = call
    const detached = values.detach || values.wait || values['no-start'] || call.globals['dry-run']
    check(values)
    refusePush(values)
    const since = Date.now() / 1000
    const wanted = await wantedOf(call, values, {
      noStart: values['no-start'],
      wait: values.wait,
      // "yes" is the answer to whether a changed volume is to be made anew
      ...(values.yes ? { recreateVolumes: true } : {}),
    })
    if (Object.keys(wanted.loaded.project.services).length === 0 && !call.globals['all-resources'])
      // Compose's text, which scripts look for
      throw new Failure('invalid', 'no service selected', {
        hint: 'The stack has no services, or all of them are of profiles that are not active (--profile)',
      })
    const waitTimeout = values['wait-timeout']
    if (detached && values.watch) {
      const { watchDetached } = await import('../detached-watch.ts')
      return await watchDetached(call, wanted, { yes: values.yes, snapshot: values.snapshot, waitTimeout })
    }
    if (detached)
      return (await bringUp(call, wanted, { yes: values.yes, snapshot: values.snapshot, waitTimeout })) ? 0 : 1
    const { client, services } = wanted
    const { project } = wanted.loaded
    await checkBrought(project, values, services)
    return await attach(call, {
      client,
      project,
      services,
      shown: attached(project, values, services),
      since,
      timeout: values.timeout,
      abortOn: values['abort-on-container-failure']
        ? 'failure'
        : values['abort-on-container-exit']
          ? 'exit'
          : undefined,
      exitCodeFrom: values['exit-code-from'],
      menu: values.menu,
      style: { prefix: !values['no-log-prefix'], colour: !values['no-color'], timestamps: values.timestamps },
      watches: values.watch,
      watch: endsByItself(values)
        ? undefined
        : async told =>
            await (await import('../watching.ts')).watchOf(call, wanted, {
              ...{ ...told, prune: true, quiet: values['quiet-build'] },
            }),
      bringUp: more => bringUp(call, wanted, { yes: values.yes, snapshot: values.snapshot, waitTimeout, ...more }),
    })
  },
})

function endsByItself(values: Values<typeof options>): boolean {
  const ends = values['abort-on-container-exit'] || values['abort-on-container-failure']
  return ends || values['exit-code-from'] !== undefined
}

/** Whoever's exit code is waited for is brought up. */
async function checkBrought(project: Project, values: Values<typeof options>, services: Wanted['services']) {
  const name = values['exit-code-from']
  if (name === undefined || services === undefined) return
  const { selectedNames } = await import('../../targets/engine/plan/reconcile.ts')
  if (selectedNames(project, { services, noDeps: values['no-deps'] }).includes(name)) return
  throw new Failure('not-found', `no such service: ${name}: disabled`, {
    hint: 'None of the services that are named depends on it: name it too',
  })
}

/** In Compose's words, which scripts look for. */
function check(values: Values<typeof options>): void {
  if (values.watch && values['no-start']) throw usage('--watch and --no-start exclude each other')
  for (const name of ['abort-on-container-exit', 'abort-on-container-failure', 'exit-code-from'] as const)
    if (values[name] && values.watch)
      throw usage(`--watch and --${name} exclude each other: what ends while it is watched may come again`)
  const exits = values['abort-on-container-exit'] || values['exit-code-from'] !== undefined
  const failures = values['abort-on-container-failure']
  if (values['abort-on-container-exit'] && failures)
    throw usage('--abort-on-container-failure cannot be combined with --abort-on-container-exit')
  const attaches = values['attach-dependencies'] || values.attach.length > 0
  if (values.wait && (exits || attaches))
    throw usage('--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies')
  if ((values.detach || values.wait) && (exits || failures || attaches))
    throw usage(
      '--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach or --attach-dependencies',
    )
}

/** Whose output is shown: what was asked for, otherwise what was named, without those that say `attach: false`. */
function attached(
  project: Project,
  values: Values<typeof options>,
  services: readonly string[] | undefined,
): readonly string[] {
  const known = Object.keys(project.services)
  const hidden = checkServices(values['no-attach'], known) ?? []
  const asked = checkServices(values.attach, known)
  const from = checkServices(values['exit-code-from'] === undefined ? [] : [values['exit-code-from']], known)
  const named = values['attach-dependencies'] ? undefined : services
  const chosen = asked ?? (named ?? known).filter(name => project.services[name]!.attach)
  return [...new Set([...chosen, ...(from ?? [])])].filter(name => !hidden.includes(name))
}
