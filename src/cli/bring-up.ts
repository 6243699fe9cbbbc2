/** The road of up, create, scale and plan: the stack and the engine side by side, what is there, the difference. */
import type { Client } from '../client/client.ts'
import type { PullWhen } from '../plan/images.ts'
import type { Plan } from '../plan/plan.ts'
import type { UpOptions } from '../plan/reconcile.ts'
import type { LoadedStack } from '../stack/load.ts'
import { type Applied, applyPlan } from './apply-plan.ts'
import type { Call } from './command.ts'
import { confirm } from './confirm.ts'
import { type OptionTable, usage, type Values } from './options.ts'
import { checkServices, loadProject } from './project.ts'

/** The options that say what is to be, common to up, create and plan. */
export const upOptions = {
  scale: {
    kind: 'list',
    value: 'SERVICE=N',
    about: 'N replicas of SERVICE, whatever the stack says; repeat for several',
  },
  'force-recreate': { kind: 'flag', about: 'Recreate containers that have not changed' },
  'no-recreate': { kind: 'flag', about: 'Keep containers that have changed' },
  'always-recreate-deps': { kind: 'flag', about: 'Recreate dependencies too' },
  'remove-orphans': { kind: 'flag', about: 'Remove containers of services the stack no longer has' },
  'no-deps': { kind: 'flag', about: 'Leave out what the named services depend on' },
  pull: {
    kind: 'text',
    value: 'WHEN',
    choices: ['always', 'missing', 'never', 'policy'],
    about: 'When to pull images, instead of pull_policy',
  },
  'renew-anon-volumes': { kind: 'flag', short: 'V', about: 'New anonymous volumes, without the data of the old ones' },
  'recreate-volumes': {
    kind: 'flag',
    about: 'Remove and make again volumes that have changed, with loss of their data',
  },
  timeout: { kind: 'number', short: 't', value: 'SECONDS', about: 'Grace before a container is killed' },
  build: { kind: 'flag', about: 'Refused: images cannot be built yet' },
  'no-build': { kind: 'flag', about: 'Always so' },
} as const satisfies OptionTable

type UpValues = Values<typeof upOptions>

export interface Prepared {
  readonly loaded: LoadedStack
  readonly client: Client
  /** Of images that are there and due all the same; to be applied first. */
  readonly pulls: Plan
  plan(): Promise<Plan>
  /** Those named on the command line; undefined for all. */
  readonly services: readonly string[] | undefined
}

/** Loads, observes and plans; `more` wins over what the options say. */
export async function prepare(call: Call, values: UpValues, more: UpOptions = {}): Promise<Prepared> {
  refuse(values)
  const named = more.services ?? call.args
  const [loaded, client, { observe }, { reconcile }, { imagesOf, planPull }, { filesOf }] = await Promise.all([
    loadProject(
      call,
      named.length > 0
        ? { services: named, making: { services: named, alone: values['no-deps'] } }
        : { making: { services: 'all' } },
    ),
    call.connect(),
    import('../apply/observe.ts'),
    import('../plan/reconcile.ts'),
    import('../plan/images.ts'),
    import('../plan/file-objects.ts'),
  ])
  const { project } = loaded
  const services = checkServices(named, Object.keys(project.services))
  const scale = parseScale(values.scale)
  checkServices(Object.keys(scale), Object.keys(project.services))
  const look = () =>
    observe(client, project.name, { signal: call.signal, images: imagesOf(project), files: filesOf(project) })
  const observed = await look()
  const pull = values.pull === undefined || values.pull === 'policy' ? {} : { when: values.pull as PullWhen }
  const pulls = planPull(project, observed, {
    ...(services ? { services } : {}),
    ...(pull.when === 'always' ? pull : {}),
  })
  const options: UpOptions = {
    ...(services ? { services } : {}),
    noDeps: values['no-deps'],
    scale,
    recreate: values['force-recreate'] ? 'always' : values['no-recreate'] ? 'never' : 'diverged',
    ...(values['always-recreate-deps'] ? { recreateDependencies: true } : {}),
    recreateVolumes: values['recreate-volumes'],
    removeOrphans: values['remove-orphans'],
    ...(pull.when === undefined ? {} : { pull: pull.when }),
    renewAnonVolumes: values['renew-anon-volumes'],
    ...(values.timeout === undefined ? {} : { timeout: values.timeout }),
    ...more,
  }
  return {
    loaded,
    client,
    pulls,
    services,
    async plan() {
      // what a pull brought decides what is recreated
      const fresh = pulls.empty || call.globals['dry-run'] ? observed : await look()
      return reconcile(project, fresh, options)
    },
  }
}

/** Applies the pulls that are due, then what is left to do; true when anything was changed. */
export async function bringUp(
  call: Call,
  prepared: Prepared,
  options: Omit<Applied, 'plan' | 'client' | 'nothing'> & { readonly yes: boolean },
): Promise<boolean> {
  const { client, pulls } = prepared
  if (!pulls.empty) await applyPlan(call, { plan: pulls, client, nothing: '' })
  const plan = await prepared.plan()
  if (!(await confirm(call, plan, { yes: options.yes }))) return false
  await applyPlan(call, { ...options, plan, client, nothing: 'no changes' })
  return true
}

function refuse(values: UpValues): void {
  if (values['force-recreate'] && values['no-recreate'])
    throw usage('--force-recreate and --no-recreate exclude each other')
  if (values.build)
    throw usage(
      'Cannot use --build: images cannot be built yet',
      'Build the image with another tool and load it with "tscompose image load"',
    )
}

/** `web=3` → { web: 3 }. */
export function parseScale(list: readonly string[]): Readonly<Record<string, number>> {
  const scale: Record<string, number> = Object.create(null)
  for (const each of list) {
    const match = /^([^=]+)=(\d+)$/.exec(each)
    if (!match) throw usage(`Cannot scale "${each}": it should be SERVICE=N`)
    scale[match[1]!] = Number(match[2])
  }
  return scale
}
